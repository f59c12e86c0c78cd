"""The worker: claim, run, commit, whatever happens in between."""

import asyncio
import logging
import os
from pathlib import Path

import pytest
from lxml import etree

from generator.jobs.results import StoredImage
from generator.jobs.tables import Job
from generator.tasks import SafetyRejected, TaskError
from lookalike.errors import StartError
from tests.generator.scripted import ScriptedExecutor, png_of
from tests.generator.stack import Stack, code, job, serving, text
from tests.waiting import eventually


async def test_a_task_that_cannot_be_computed_fails_at_once(stack: Stack) -> None:
    stack.executor.endings.append(TaskError("The words \x00 for the person."))
    stack.executor.go()
    identity = await stack.put()
    state = await stack.reach(identity, "failed")
    error = state[-1]
    assert error.get("code") == "cannot-compute"
    assert error.text == "The words \ufffd for the person."
    assert state.get("attempt") == "1"


async def test_a_flagged_picture_is_refused(stack: Stack) -> None:
    stack.executor.endings.append(SafetyRejected())
    stack.executor.go()
    state = await stack.reach(await stack.put(), "refused")
    assert state[-1].get("code") == "refused-by-safety"
    assert not stack.images


async def test_a_fault_of_the_executor_spends_an_attempt(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    stack.executor.endings.extend([RuntimeError("once"), RuntimeError("twice")])
    stack.executor.go()
    state = await stack.reach(await stack.put(), "finished")
    assert state.get("attempt") == "3"
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(records) == 2
    assert all(record.exc_info for record in records)


async def test_a_job_that_breaks_every_time_is_given_up_and_the_next_one_runs(stack: Stack) -> None:
    stack.executor.endings.extend([RuntimeError("again")] * 3)
    stack.executor.go()
    state = await stack.reach(await stack.put(), "failed")
    assert state[-1].get("code") == "gave-up"
    assert state.get("attempt") == "3"
    await stack.reach(await stack.put(), "finished")


async def test_a_clean_stop_puts_the_job_back_unharmed(tmp_path: Path) -> None:
    async with serving(tmp_path) as stack:
        identity = await stack.put()
        await stack.reach(identity, "running")
        stack.executor.step(3)
        await stack.at_step(identity, 3)
        assert await stack.stop(identity) == [("queued", 0)]
    async with serving(tmp_path) as stack:
        stack.executor.go()
        state = await stack.reach(identity, "finished")
        assert state.get("attempt") == "1"


async def test_a_stop_does_not_wait_for_a_slow_step(stack: Stack) -> None:
    stack.executor.deaf = True
    identity = await stack.put()
    await stack.reach(identity, "running")
    assert await stack.stop(identity) == [("queued", 0)]
    assert not stack.images


async def test_a_picture_of_a_cancelled_job_is_dropped(stack: Stack) -> None:
    stack.executor.deaf = True
    identity = await stack.put()
    await stack.reach(identity, "running")
    await stack.client.delete(f"/v1/jobs/{identity}")
    stack.executor.go()
    await stack.reach(await stack.put(), "finished")
    assert (await stack.get(identity)).get("state") == "cancelled"
    assert len(stack.images) == 1


async def test_a_lease_is_renewed_while_the_run_lasts(tmp_path: Path) -> None:
    async with serving(tmp_path, lease_seconds=0.2) as stack:
        identity = await stack.put()
        await stack.reach(identity, "running")
        until = (await stack.row(identity)).lease_until or 0
        stack.now[0] += 0.1

        async def renewed() -> bool | None:
            return True if ((await stack.row(identity)).lease_until or 0) > until else None

        assert await eventually(renewed)


async def test_a_jump_of_the_clock_costs_a_healthy_run_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, lease_seconds=0.04) as stack:
        identity = await stack.put()
        await stack.reach(identity, "running")
        for _ in range(20):
            stack.now[0] += 100.0

            async def looked_at() -> Job | None:
                found = await stack.row(identity)
                leased = (found.lease_until or 0) > stack.now[0]
                return found if leased or found.attempts > 1 or found.holder is None else None

            found = await eventually(looked_at)
            assert (found.state, found.attempts) == ("running", 1)


async def test_a_busy_database_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, lease_seconds=0.04) as stack:
        monkeypatch.setattr(stack.generator.database._engine.pool, "_timeout", 0.1)
        identity = await stack.put()
        await stack.reach(identity, "running")
        with stack.generator.database._engine.connect():  # the only connection there is
            paths = [f"/v1/jobs/{identity}", "/health/live"] * 3
            answers = await asyncio.gather(*(stack.client.get(path) for path in paths))
            assert {answer.status_code for answer in answers} == {200, 503}
            assert {code(answer) for answer in answers if answer.is_error} == {"storage-failed"}
            stack.executor.go()

            async def told() -> bool | None:
                lines = ("Cannot write", "Cannot renew leases", "Cannot delete what is old")
                return True if all(line in caplog.text for line in lines) else None

            assert await eventually(told)
        await stack.reach(identity, "finished")
        assert not stack.generator.stop.is_set()
        assert "Traceback" not in caplog.text


async def test_a_run_without_progress_loses_its_lease(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    executor = ScriptedExecutor()
    executor.deaf = True
    async with serving(
        tmp_path, executor, lease_seconds=0.1, stale_seconds=0.1, max_attempts=1
    ) as stack:
        identity = await stack.put()
        await stack.reach(identity, "running")

        async def stuck() -> bool | None:
            response = await stack.client.get("/health/live")
            return True if response.status_code == 503 and code(response) == "stuck" else None

        assert await eventually(stuck)

        async def given_up() -> etree._Element | None:
            stack.now[0] += 1.0  # the lease, no longer renewed, runs out
            found = await stack.get(identity)
            return found if found.get("state") == "failed" else None

        state = await eventually(given_up)
        assert state[-1].get("code") == "gave-up"
        assert "This hangs: " in caplog.text
        executor.go()  # it comes to life: too late for this job, in time for others
        await stack.reach(await stack.put(), "finished")
        assert (await stack.get(identity)).get("state") == "failed"
        assert len(stack.images) == 1
        assert (await stack.client.get("/health/live")).status_code == 200


async def test_a_picture_waits_until_the_disk_takes_it(
    stack: Stack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    aside = stack.results.rename(tmp_path / "aside")
    stack.results.write_bytes(b"in the way")
    stack.executor.go()
    identity = await stack.put()

    async def told() -> bool | None:
        return True if "Cannot write" in caplog.text else None

    assert await eventually(told)
    assert (await stack.get(identity)).get("state") == "running"
    stack.results.unlink()
    aside.rename(stack.results)
    state = await stack.reach(identity, "finished")
    assert state.get("attempt") == "1"
    assert len(stack.executor.tasks) == 1
    assert caplog.text.count("Cannot write") == 1


async def test_a_stop_does_not_wait_for_the_disk(stack: Stack, tmp_path: Path) -> None:
    stack.results.rename(tmp_path / "aside")
    stack.results.write_bytes(b"in the way")
    stack.executor.go()
    identity = await stack.put()
    await stack.reach(identity, "running")
    assert await stack.stop(identity) == [("queued", 0)]


async def test_a_stop_is_heard_while_a_run_hangs_and_the_attempt_is_spent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    executor = ScriptedExecutor()
    executor.deaf = True
    async with serving(tmp_path, executor, lease_seconds=0.1, stale_seconds=0.1) as stack:
        identity = await stack.put()
        await stack.reach(identity, "running")

        async def told() -> bool | None:
            return True if "This hangs: " in caplog.text else None

        assert await eventually(told)
        async with asyncio.timeout(5):
            assert await stack.stop(identity) == [("queued", 1)]


async def test_a_commit_whose_success_was_not_told_keeps_its_picture(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = stack.generator.leases.finish
    told = []

    async def finish_and_break(claim: Job, image: StoredImage) -> bool:
        told.append(await finish(claim, image))
        if len(told) == 1:
            raise OSError("disk I/O error")
        return told[-1]

    monkeypatch.setattr(stack.generator.leases, "finish", finish_and_break)
    stack.executor.go()
    identity = await stack.put()
    await stack.reach(identity, "finished")
    await stack.reach(await stack.put(), "finished")  # the first one's was tried again
    assert told == [True, False, True]
    response = await stack.client.get(f"/v1/jobs/{identity}/image")
    assert response.content == png_of(stack.executor.tasks[0])


async def test_a_commit_that_is_tried_again_does_not_store_the_picture_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = stack.generator.leases.finish
    keys = []

    async def fail_twice(claim: Job, image: StoredImage) -> bool:
        keys.append(image.key)
        if len(keys) <= 2:
            raise OSError("disk I/O error")
        return await finish(claim, image)

    monkeypatch.setattr(stack.generator.leases, "finish", fail_twice)
    stack.executor.go()
    identity = await stack.put()
    await stack.reach(identity, "finished")
    assert len(keys) == 3
    assert len(set(keys)) == len(stack.images) == 1


async def test_a_crash_is_put_right_at_the_next_start(tmp_path: Path) -> None:
    async with serving(tmp_path) as stack:
        stack.executor.go()
        done = await stack.put()
        await stack.reach(done, "finished")
        kept = stack.images
    folder = kept[0].parent
    orphan = folder / f"{done}-99-0123abcd"
    orphan.write_bytes(b"computed, but never committed")
    half, strange = stack.results / "drafts" / "x", stack.results / "README"
    half.write_bytes(b"half")
    strange.write_bytes(b"not ours")
    os.utime(half, (0, 0))
    async with serving(tmp_path) as stack:
        assert sorted(stack.images) == sorted([*kept, strange])
        assert not half.exists()
        response = await stack.client.get(f"/v1/jobs/{done}/image")
        assert response.status_code == 200


async def test_old_jobs_go_with_their_pictures(tmp_path: Path) -> None:
    async with serving(tmp_path) as stack:
        stack.executor.go()
        identity = await stack.put()
        await stack.reach(identity, "finished")
        stack.now[0] += 8 * 24 * 3600

        async def gone() -> bool | None:
            known = await stack.generator.queue.get(identity)
            return True if known is None and not stack.images else None

        assert await eventually(gone)


async def test_owners_take_turns_at_the_worker(stack: Stack) -> None:
    ids = [await stack.put(job(name, owner=name[0])) for name in ("a1", "a2", "a3", "b1")]
    await stack.reach(ids[0], "running")
    positions = [text(await stack.get(identity), "position") for identity in ids]
    assert positions == ["0", "2", "3", "1"]
    stack.executor.go()
    await stack.reach(ids[2], "finished")
    assert [task.prompt for task in stack.executor.tasks] == ["a1", "b1", "a2", "a3"]


async def test_a_model_that_cannot_be_loaded_ends_the_work(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.load_error = StartError("No model.")
    with pytest.raises(StartError, match=r"No model\."):
        async with serving(tmp_path, executor) as stack:
            await stack.generator.stop.wait()


async def test_a_stop_does_not_wait_for_the_model(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.loadable.clear()
    async with asyncio.timeout(5), serving(tmp_path, executor) as stack:
        pass
    assert stack.generator.progress.model is None


async def test_the_picture_is_what_the_executor_made(stack: Stack) -> None:
    stack.executor.go()
    identity = await stack.put(job("exactly"))
    await stack.reach(identity, "finished")
    response = await stack.client.get(f"/v1/jobs/{identity}/image")
    assert response.content == png_of(stack.executor.tasks[0])
