"""The worker: claim, run, commit, whatever happens in between."""

import asyncio
import logging
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree

from generator.executors.base import Refused, TaskError
from generator.results import Committed
from generator.tables import Job
from lookalike.errors import StartError
from tests.generator.house import House, code, eventually, house, job, text
from tests.generator.scripted import ScriptedExecutor, png_of


def _files(home: House) -> list[Path]:
    return list((home.folder / "results").iterdir())


async def _job(home: House, identity: UUID) -> Job:
    found = await home.table.get(identity)
    assert found is not None
    return found


async def test_a_task_that_cannot_be_computed_fails_at_once(home: House) -> None:
    home.executor.endings.append(TaskError("The words \x00 for the person."))
    home.executor.go()
    identity = await home.put()
    state = await home.reach(identity, "failed")
    error = state[-1]
    assert error.get("code") == "cannot-compute"
    assert error.text == "The words \ufffd for the person."
    assert state.get("attempt") == "1"


async def test_a_flagged_picture_is_refused(home: House) -> None:
    home.executor.endings.append(Refused())
    home.executor.go()
    state = await home.reach(await home.put(), "refused")
    assert state[-1].get("code") == "refused-by-safety"
    assert not _files(home)


async def test_a_fault_of_the_executor_spends_an_attempt(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    home.executor.endings.extend([RuntimeError("once"), RuntimeError("twice")])
    home.executor.go()
    state = await home.reach(await home.put(), "finished")
    assert state.get("attempt") == "3"
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(records) == 2
    assert all(record.exc_info for record in records)


async def test_a_job_that_breaks_every_time_is_given_up_and_the_next_one_runs(home: House) -> None:
    home.executor.endings.extend([RuntimeError("again")] * 3)
    home.executor.go()
    state = await home.reach(await home.put(), "failed")
    assert state[-1].get("code") == "gave-up"
    assert state.get("attempt") == "3"
    await home.reach(await home.put(), "finished")


async def test_a_clean_stop_puts_the_job_back_unharmed(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        identity = await home.put()
        await home.reach(identity, "running")
        home.executor.step(3)
        await home.at_step(identity, 3)
        home.stop.set()
        await home.working
        kept = await _job(home, identity)
        assert (kept.state, kept.attempts) == ("queued", 0)
    async with house(tmp_path) as home:
        home.executor.go()
        state = await home.reach(identity, "finished")
        assert state.get("attempt") == "1"


async def test_a_stop_does_not_wait_for_a_slow_step(home: House) -> None:
    home.executor.deaf = True
    identity = await home.put()
    await home.reach(identity, "running")
    home.stop.set()
    await home.working
    kept = await _job(home, identity)
    assert (kept.state, kept.attempts) == ("queued", 0)
    assert not _files(home)


async def test_a_picture_of_a_cancelled_job_is_dropped(home: House) -> None:
    home.executor.deaf = True
    identity = await home.put()
    await home.reach(identity, "running")
    await home.client.delete(f"/v1/jobs/{identity}")
    home.executor.go()
    await home.reach(await home.put(), "finished")
    assert (await home.get(identity)).get("state") == "cancelled"
    assert len(_files(home)) == 1


async def test_a_lease_is_renewed_while_the_run_lasts(tmp_path: Path) -> None:
    async with house(tmp_path, lease_seconds=0.2) as home:
        identity = await home.put()
        await home.reach(identity, "running")
        until = (await _job(home, identity)).lease_until or 0
        home.now[0] += 0.1

        async def renewed() -> bool | None:
            return True if ((await _job(home, identity)).lease_until or 0) > until else None

        assert await eventually(renewed)


async def test_a_jump_of_the_clock_costs_a_healthy_run_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, lease_seconds=0.04) as home:
        identity = await home.put()
        await home.reach(identity, "running")
        for _ in range(20):
            home.now[0] += 100.0

            async def looked_at() -> Job | None:
                found = await _job(home, identity)
                leased = (found.lease_until or 0) > home.now[0]
                return found if leased or found.attempts > 1 or found.holder is None else None

            found = await eventually(looked_at)
            assert (found.state, found.attempts) == ("running", 1)


async def test_a_busy_database_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path, lease_seconds=0.04) as home:
        monkeypatch.setattr(home.engine.pool, "_timeout", 0.1)
        identity = await home.put()
        await home.reach(identity, "running")
        with home.engine.connect():  # the only connection there is
            paths = [f"/v1/jobs/{identity}", "/health/live"] * 3
            answers = await asyncio.gather(*(home.client.get(path) for path in paths))
            assert {answer.status_code for answer in answers} == {200, 503}
            assert {code(answer) for answer in answers if answer.is_error} == {"storage-failed"}
            home.executor.go()

            async def told() -> bool | None:
                lines = ("Cannot write", "Housekeeping failed")
                return True if all(line in caplog.text for line in lines) else None

            assert await eventually(told)
        await home.reach(identity, "finished")
        assert not home.working.done()
        assert "Traceback" not in caplog.text


async def test_a_run_without_progress_loses_its_lease(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    executor = ScriptedExecutor()
    executor.deaf = True
    async with house(
        tmp_path, executor, lease_seconds=0.1, stale_seconds=0.1, max_attempts=1
    ) as home:
        identity = await home.put()
        await home.reach(identity, "running")

        async def stuck() -> bool | None:
            response = await home.client.get("/health/live")
            return True if response.status_code == 503 and code(response) == "stuck" else None

        assert await eventually(stuck)

        async def given_up() -> etree._Element | None:
            home.now[0] += 1.0  # the lease, no longer renewed, runs out
            found = await home.get(identity)
            return found if found.get("state") == "failed" else None

        state = await eventually(given_up)
        assert state[-1].get("code") == "gave-up"
        assert "no progress" in caplog.text
        executor.go()  # it comes to life: too late for this job, in time for others
        await home.reach(await home.put(), "finished")
        assert (await home.get(identity)).get("state") == "failed"
        assert len(_files(home)) == 1
        assert (await home.client.get("/health/live")).status_code == 200


async def test_a_picture_waits_until_the_disk_takes_it(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    folder = home.folder / "results"
    folder.rmdir()
    folder.write_bytes(b"in the way")
    home.executor.go()
    identity = await home.put()

    async def told() -> bool | None:
        return True if "Cannot write" in caplog.text else None

    assert await eventually(told)
    assert (await home.get(identity)).get("state") == "running"
    folder.unlink()
    state = await home.reach(identity, "finished")
    assert state.get("attempt") == "1"
    assert len(home.executor.tasks) == 1
    assert caplog.text.count("Cannot write") == 1


async def test_a_stop_does_not_wait_for_the_disk(home: House) -> None:
    folder = home.folder / "results"
    folder.rmdir()
    folder.write_bytes(b"in the way")
    home.executor.go()
    identity = await home.put()
    await home.reach(identity, "running")
    home.stop.set()
    await home.working
    kept = await _job(home, identity)
    assert (kept.state, kept.attempts) == ("queued", 0)


async def test_a_stop_is_heard_while_a_run_hangs_and_the_attempt_is_spent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    executor = ScriptedExecutor()
    executor.deaf = True
    async with house(tmp_path, executor, lease_seconds=0.1, stale_seconds=0.1) as home:
        identity = await home.put()
        await home.reach(identity, "running")

        async def told() -> bool | None:
            return True if "no progress" in caplog.text else None

        assert await eventually(told)
        home.stop.set()
        async with asyncio.timeout(5):
            await home.working
        kept = await _job(home, identity)
        assert (kept.state, kept.attempts) == ("queued", 1)


async def test_a_commit_whose_success_was_not_told_keeps_its_picture(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = home.table.finish
    told = []

    async def finish_and_break(claim: Job, picture: Committed) -> bool:
        told.append(await finish(claim, picture))
        if len(told) == 1:
            raise OSError("disk I/O error")
        return told[-1]

    monkeypatch.setattr(home.table, "finish", finish_and_break)
    home.executor.go()
    identity = await home.put()
    await home.reach(identity, "finished")
    await home.reach(await home.put(), "finished")  # the first one's commit was tried again before
    assert told == [True, False, True]
    response = await home.client.get(f"/v1/jobs/{identity}/image")
    assert response.content == png_of(home.executor.tasks[0])


async def test_a_crash_is_put_right_at_the_next_start(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        home.executor.go()
        done = await home.put()
        await home.reach(done, "finished")
        kept = _files(home)
    folder = tmp_path / "results"
    orphan = folder / f"{done}-99.png"
    orphan.write_bytes(b"computed, but never committed")
    (folder / ".draft-x").write_bytes(b"half")
    (folder / "README").write_bytes(b"not ours")
    async with house(tmp_path) as home:
        assert sorted(_files(home)) == sorted([*kept, folder / "README"])
        response = await home.client.get(f"/v1/jobs/{done}/image")
        assert response.status_code == 200


async def test_old_jobs_go_with_their_pictures(tmp_path: Path) -> None:
    async with house(tmp_path, lease_seconds=0.04) as home:
        home.executor.go()
        identity = await home.put()
        await home.reach(identity, "finished")
        home.now[0] += 8 * 24 * 3600

        async def gone() -> bool | None:
            known = await home.table.get(identity)
            return True if known is None and not _files(home) else None

        assert await eventually(gone)


async def test_owners_take_turns_at_the_worker(home: House) -> None:
    ids = [await home.put(job(name, owner=name[0])) for name in ("a1", "a2", "a3", "b1")]
    await home.reach(ids[0], "running")
    positions = [text(await home.get(identity), "position") for identity in ids]
    assert positions == ["0", "2", "3", "1"]
    home.executor.go()
    await home.reach(ids[2], "finished")
    assert [task.prompt for task in home.executor.tasks] == ["a1", "b1", "a2", "a3"]


async def test_a_model_that_cannot_be_loaded_ends_the_work(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.load_error = StartError("No model.")
    with pytest.raises(StartError, match=r"No model\."):
        async with house(tmp_path, executor) as home:
            await asyncio.wait({home.working})


async def test_a_stop_does_not_wait_for_the_model(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.loadable.clear()
    async with house(tmp_path, executor) as home:
        home.stop.set()
        await home.working
        assert home.worker.model is None


async def test_the_picture_is_what_the_executor_made(home: House) -> None:
    home.executor.go()
    identity = await home.put(job("exactly"))
    await home.reach(identity, "finished")
    response = await home.client.get(f"/v1/jobs/{identity}/image")
    assert response.content == png_of(home.executor.tasks[0])
