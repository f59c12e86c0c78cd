"""POST /generate_image: the synchronous call."""

import asyncio
import base64
import errno
import hashlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.orm import Session

from generator.executors.base import Refused, TaskError
from generator.tables import State
from tests.generator.house import TOKEN, XML, House, code, element, eventually, house, job, text
from tests.generator.scripted import png_of

_PATH = "/generate_image"


async def _nothing_is_left(home: House) -> bool:
    known = await home.table.pictures()
    return not known and not list((home.folder / "results").iterdir())


async def test_the_answer_holds_the_picture(home: House) -> None:
    home.executor.go()
    response = await home.client.post(_PATH, content=job(seed=3), headers=XML)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/xml"
    state = element(response)
    assert state.get("state") == "finished"
    png = png_of(home.executor.tasks[0])
    assert base64.b64decode(text(state, "image") or "") == png
    assert dict(state[-1].attrib) == {
        "media-type": "image/png",
        "width": "64",
        "height": "72",
        "sha256": hashlib.sha256(png).hexdigest(),
    }

    async def removed() -> bool | None:
        return await _nothing_is_left(home) or None

    assert await eventually(removed)  # after the answer
    gone = await home.client.get(f"/v1/jobs/{state.get('id')}")
    assert gone.status_code == 404


async def test_accept_decides_between_document_and_picture(home: House) -> None:
    home.executor.go()
    for accept, expected in (
        ("image/png", "image/png"),
        ("image/*", "image/png"),
        ("image/png, application/xml;q=0.5", "image/png"),
        ("text/xml", "text/xml; charset=utf-8"),
        ("*/*", "application/xml"),
        ("image/png, application/xml", "application/xml"),
        ("image/png;q=0.1, */*;q=0.5", "application/xml"),
    ):
        headers = {**XML, "Accept": accept}
        response = await home.client.post(_PATH, content=job(), headers=headers)
        assert response.headers["content-type"] == expected, accept
        painted = png_of(home.executor.tasks[-1])
        assert (response.content == painted) is (expected == "image/png")


async def test_accept_can_exclude_both(home: House) -> None:
    for accept in ("application/json", "application/xml;q=0, image/png;q=0.0"):
        headers = {**XML, "Accept": accept}
        response = await home.client.post(_PATH, content=job(), headers=headers)
        assert (response.status_code, code(response)) == (406, "not-acceptable")


@pytest.mark.parametrize(
    ("ending", "status", "expected"),
    [(Refused(), 422, "refused-by-safety"), (TaskError("too big"), 422, "cannot-compute")],
)
async def test_no_picture_is_a_problem(
    home: House, ending: Exception, status: int, expected: str
) -> None:
    home.executor.endings.append(ending)
    home.executor.go()
    response = await home.client.post(_PATH, content=job(), headers=XML)
    assert (response.status_code, code(response)) == (status, expected)
    assert await _nothing_is_left(home)


async def test_a_job_that_was_given_up_is_a_fault_of_the_service(tmp_path: Path) -> None:
    async with house(tmp_path, max_attempts=1) as home:
        home.executor.endings.append(RuntimeError("broken"))
        home.executor.go()
        response = await home.client.post(_PATH, content=job(), headers=XML)
        assert (response.status_code, code(response)) == (500, "job-failed")
        assert await _nothing_is_left(home)


async def test_the_picture_is_given_also_when_the_job_cannot_be_removed(
    home: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_job_id: UUID) -> None:
        raise OSError(errno.EIO, "the disk is away")

    monkeypatch.setattr(home.table, "remove", fail)
    home.executor.go()
    response = await home.client.post(_PATH, content=job(), headers=XML)
    assert response.status_code == 200

    async def logged() -> bool | None:
        return "the disk is away" in caplog.text or None

    assert await eventually(logged)  # after the answer


async def test_who_waits_is_woken_by_nobody_elses_job(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = 20
    transactions = 0
    run = home.table.run

    def count(work: Callable[[Session], Any]) -> Coroutine[Any, Any, Any]:
        nonlocal transactions
        transactions += 1
        return run(work)

    await home.reach(await home.put(), "running")
    queued = await home.put()
    calls = [
        asyncio.create_task(home.client.post(_PATH, content=job(), headers=XML))
        for _ in range(waiting)
    ]

    async def all_wait() -> bool | None:
        _, line = await home.table.look([queued])
        return True if len(line) == 2 + waiting else None

    await eventually(all_wait)
    monkeypatch.setattr(home.table, "run", count)
    for _ in range(5):
        await home.client.delete(f"/v1/jobs/{await home.put()}")
    assert 5 < transactions < 5 * waiting
    home.executor.go()
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200}
    assert not home.table._ended


async def _running_id(home: House) -> str | None:
    batch = home.worker._batch
    return str(batch.runs[0].claim.id) if batch is not None else None


async def test_another_caller_may_cancel_it(home: House) -> None:
    call = asyncio.create_task(home.client.post(_PATH, content=job(), headers=XML))
    identity = await eventually(lambda: _running_id(home))
    assert (await home.client.delete(f"/v1/jobs/{identity}")).status_code == 200
    response = await call
    assert (response.status_code, code(response)) == (409, "job-cancelled")


async def test_a_caller_that_goes_away_takes_the_job_along(home: House) -> None:
    async with httpx.AsyncClient(base_url=home.client.base_url) as other:
        headers = {**XML, "Authorization": f"Bearer {TOKEN}"}
        call = asyncio.create_task(other.post(_PATH, content=job(), headers=headers))
        identity = await eventually(lambda: _running_id(home))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    async def gone() -> bool | None:
        answer = await home.client.get(f"/v1/jobs/{identity}")
        idle = home.worker._batch is None
        return True if answer.status_code == 404 and idle else None

    assert await eventually(gone)


async def test_a_stop_is_said_to_who_waits(home: House) -> None:
    call = asyncio.create_task(home.client.post(_PATH, content=job(), headers=XML))
    await eventually(lambda: _running_id(home))
    home.stop.set()
    response = await call
    assert (response.status_code, code(response)) == (503, "stopping")
    assert int(response.headers["retry-after"]) > 0


async def test_a_job_dies_with_the_process_that_waits_for_it(home: House) -> None:
    call = asyncio.create_task(home.client.post(_PATH, content=job(), headers=XML))
    identity = await eventually(lambda: _running_id(home))
    ordinary = await home.put()
    await home.table.recover("another")
    assert (await home.client.get(f"/v1/jobs/{identity}")).status_code == 200
    await home.table.recover(home.worker.holder)
    response = await call
    assert (response.status_code, code(response)) == (409, "job-cancelled")
    assert (await home.get(ordinary)).get("state") in {State.QUEUED, State.RUNNING}
