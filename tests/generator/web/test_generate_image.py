"""POST /generate_image: the synchronous call."""

import asyncio
import base64
import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Connection, Engine, event

from generator.jobs.leases import Leases
from generator.jobs.tables import State
from generator.tasks import SafetyRejected, TaskError
from tests.generator.scripted import png_of
from tests.generator.stack import TOKEN, XML, Stack, code, element, job, serving, text
from tests.waiting import eventually

_PATH = "/generate_image"


async def _nothing_is_left(stack: Stack) -> bool:
    with stack.generator.database._engine.connect() as connection:
        jobs = connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar_one()
    return not jobs and not stack.images


async def test_the_answer_holds_the_picture(stack: Stack) -> None:
    stack.executor.go()
    response = await stack.client.post(_PATH, content=job(seed=3), headers=XML)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/xml"
    state = element(response)
    assert state.get("state") == "finished"
    png = png_of(stack.executor.tasks[0])
    assert base64.b64decode(text(state, "image") or "") == png
    assert dict(state[-1].attrib) == {
        "media-type": "image/png",
        "width": "64",
        "height": "72",
        "sha256": hashlib.sha256(png).hexdigest(),
    }

    async def removed() -> bool | None:
        return await _nothing_is_left(stack) or None

    assert await eventually(removed)  # after the answer
    gone = await stack.client.get(f"/v1/jobs/{state.get('id')}")
    assert gone.status_code == 404


async def test_accept_decides_between_document_and_picture(stack: Stack) -> None:
    stack.executor.go()
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
        response = await stack.client.post(_PATH, content=job(), headers=headers)
        assert response.headers["content-type"] == expected, accept
        drawn = png_of(stack.executor.tasks[-1])
        assert (response.content == drawn) is (expected == "image/png")


async def test_accept_can_exclude_both(stack: Stack) -> None:
    for accept in ("application/json", "application/xml;q=0, image/png;q=0.0"):
        headers = {**XML, "Accept": accept}
        response = await stack.client.post(_PATH, content=job(), headers=headers)
        assert (response.status_code, code(response)) == (406, "not-acceptable")


@pytest.mark.parametrize(
    ("ending", "status", "expected"),
    [(SafetyRejected(), 422, "refused-by-safety"), (TaskError("too big"), 422, "cannot-compute")],
)
async def test_no_picture_is_a_problem(
    stack: Stack, ending: Exception, status: int, expected: str
) -> None:
    stack.executor.endings.append(ending)
    stack.executor.go()
    response = await stack.client.post(_PATH, content=job(), headers=XML)
    assert (response.status_code, code(response)) == (status, expected)
    assert await _nothing_is_left(stack)


async def test_a_job_that_was_given_up_is_a_fault_of_the_service(tmp_path: Path) -> None:
    async with serving(tmp_path, max_attempts=1) as stack:
        stack.executor.endings.append(RuntimeError("broken"))
        stack.executor.go()
        response = await stack.client.post(_PATH, content=job(), headers=XML)
        assert (response.status_code, code(response)) == (500, "job-failed")
        assert await _nothing_is_left(stack)


async def test_the_picture_is_given_also_when_the_job_cannot_be_deleted(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_job_id: UUID) -> None:
        raise OSError(errno.EIO, "the disk is away")

    monkeypatch.setattr(stack.generator.queue, "delete", fail)
    stack.executor.go()
    response = await stack.client.post(_PATH, content=job(), headers=XML)
    assert response.status_code == 200

    async def logged() -> bool | None:
        return "the disk is away" in caplog.text or None

    assert await eventually(logged)  # after the answer


@pytest.fixture
def begun() -> Iterator[list[Connection]]:
    """Every transaction, from before there is a service: to listen while one runs is a race."""
    connections: list[Connection] = []

    def note(connection: Connection) -> None:
        connections.append(connection)

    event.listen(Engine, "begin", note)
    yield connections
    event.remove(Engine, "begin", note)


async def test_who_waits_is_woken_by_nobody_elses_job(
    begun: list[Connection], stack: Stack
) -> None:
    waiting = 20
    await stack.reach(await stack.put(), "running")
    queued = await stack.put()
    calls = [
        asyncio.create_task(stack.client.post(_PATH, content=job(), headers=XML))
        for _ in range(waiting)
    ]

    async def all_wait() -> bool | None:
        _, line = await stack.generator.queue.look_up([queued])
        return True if len(line.jobs) == 2 + waiting else None

    await eventually(all_wait)
    before = len(begun)
    for _ in range(5):
        await stack.client.delete(f"/v1/jobs/{await stack.put()}")
    assert 5 < len(begun) - before < 5 * waiting
    stack.executor.go()
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200}
    assert not stack.generator.queue.events._ended


async def _running_id(stack: Stack) -> str | None:
    claims = stack.generator.progress.claims
    return str(claims[0].id) if claims else None


async def test_another_caller_may_cancel_it(stack: Stack) -> None:
    call = asyncio.create_task(stack.client.post(_PATH, content=job(), headers=XML))
    identity = await eventually(lambda: _running_id(stack))
    assert (await stack.client.delete(f"/v1/jobs/{identity}")).status_code == 200
    response = await call
    assert (response.status_code, code(response)) == (409, "job-cancelled")


async def test_a_caller_that_goes_away_takes_the_job_along(stack: Stack) -> None:
    async with httpx.AsyncClient(base_url=stack.client.base_url) as other:
        headers = {**XML, "Authorization": f"Bearer {TOKEN}"}
        call = asyncio.create_task(other.post(_PATH, content=job(), headers=headers))
        identity = await eventually(lambda: _running_id(stack))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    async def gone() -> bool | None:
        answer = await stack.client.get(f"/v1/jobs/{identity}")
        idle = not stack.generator.progress.batches
        return True if answer.status_code == 404 and idle else None

    assert await eventually(gone)


async def test_a_stop_is_said_to_who_waits(stack: Stack) -> None:
    call = asyncio.create_task(stack.client.post(_PATH, content=job(), headers=XML))
    await eventually(lambda: _running_id(stack))
    stack.generator.stop.set()
    response = await call
    assert (response.status_code, code(response)) == (503, "stopping")
    assert int(response.headers["retry-after"]) > 0


async def test_a_job_dies_with_the_process_that_waits_for_it(stack: Stack) -> None:
    call = asyncio.create_task(stack.client.post(_PATH, content=job(), headers=XML))
    identity = await eventually(lambda: _running_id(stack))
    ordinary = await stack.put()
    another = Leases(stack.generator.database, "another", 3)
    await another.recover()
    assert (await stack.client.get(f"/v1/jobs/{identity}")).status_code == 200
    await stack.generator.leases.recover(stack.generator.leases.holder)
    response = await call
    assert (response.status_code, code(response)) == (409, "job-cancelled")
    assert (await stack.get(ordinary)).get("state") in {State.QUEUED, State.RUNNING}
