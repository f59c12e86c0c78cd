"""Jobs that start from a picture, and jobs with proportions, from the request to the picture."""

import asyncio
import errno
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from generator.jobs.results import Results
from generator.tasks import BatchTimes, InitImage, Task
from tests.generator.stack import XML, Stack, code, element, job, serving, text
from tests.waiting import eventually


def _progress(state: object) -> tuple[str, str]:
    (found,) = state.xpath("*[local-name()='progress']")  # type: ignore[attr-defined]
    return found.get("step"), found.get("steps")


async def _first_task(stack: Stack) -> Task:
    """A job runs from its claim on; its picture is read before its task begins."""

    async def look() -> Task | None:
        return next(iter(stack.executor.tasks), None)

    return await eventually(look)


async def test_a_job_starts_from_its_picture_and_has_its_proportions(stack: Stack) -> None:
    sha256 = await stack.upload("photo", 1024, 512)
    identity = await stack.put(job(init=(sha256, "0.55"), seed=1))
    state = await stack.reach(identity, "running")
    expected = Task("a cat", "", 96, 48, 20, 7.5, 1, init=InitImage(b"photo", 0.55))
    assert await _first_task(stack) == expected
    assert _progress(state) == ("0", "11")
    stack.executor.step(3)
    state = await stack.at_step(identity, 3)
    assert float(text(state, "eta-seconds") or "nan") >= 0
    stack.executor.go()
    image = (await stack.reach(identity, "finished"))[-1]
    assert (image.get("width"), image.get("height")) == ("96", "48")


@pytest.mark.parametrize(
    ("strength", "number", "steps"), [("twin", 0.3, 6), ("cousin", 0.75, 15), ("0.001", 0.001, 1)]
)
async def test_a_step_of_the_dial_is_the_models_number(
    stack: Stack, strength: str, number: float, steps: int
) -> None:
    sha256 = await stack.upload()
    state = await stack.reach(await stack.put(job(init=(sha256, strength))), "running")
    assert (await _first_task(stack)).init == InitImage(b"photo", number)
    assert _progress(state) == ("0", str(steps))


@pytest.mark.parametrize(
    ("body", "size"),
    [
        (job(aspect=(3, 1)), (96, 48)),
        (job(aspect=(100_000, 99_999)), (64, 72)),
        (job(), (64, 72)),
        (job(height=128), (64, 128)),
    ],
)
async def test_proportions_without_a_picture(
    stack: Stack, body: bytes, size: tuple[int, int]
) -> None:
    await stack.reach(await stack.put(body), "running")
    task = await _first_task(stack)
    assert (task.width, task.height) == size


async def test_sides_that_are_asked_for_come_before_the_pictures(stack: Stack) -> None:
    stack.executor.go()
    sha256 = await stack.upload("photo", 10, 100)
    for body, size in (
        (job(init=(sha256, "1"), width=512, height=256), (512, 256)),
        (job(init=(sha256, "1"), width=512), (512, 72)),
        (job(init=(sha256, "1"), aspect=(3, 1)), (96, 48)),
        (job(init=(sha256, "1")), (48, 96)),
    ):
        await stack.reach(await stack.put(body), "finished")
        task = stack.executor.tasks[-1]
        assert (task.width, task.height) == size


async def _submit(stack: Stack, body: bytes) -> httpx.Response:
    return await stack.client.put(f"/v1/jobs/{uuid4()}", content=body, headers=XML)


async def test_a_picture_that_is_not_there_is_told_before_anything_is_queued(stack: Stack) -> None:
    body = job(init=("0" * 64, "0.5"))
    for response in (
        await _submit(stack, body),
        await stack.client.post("/generate_image", content=body, headers=XML),
    ):
        assert (response.status_code, code(response)) == (422, "unknown-image")
    with stack.generator.database._engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar_one() == 0


async def test_the_synchronous_call_starts_from_a_picture_as_well(stack: Stack) -> None:
    stack.executor.go()
    body = job(init=(await stack.upload(), "sibling"), aspect=(3, 1))
    answer = await stack.client.post("/generate_image", content=body, headers=XML)
    assert answer.status_code == 200
    assert element(answer)[-1].get("width") == "96"
    (task,) = stack.executor.tasks
    assert task.init == InitImage(b"photo", 0.5)


async def test_a_picture_that_was_lost_fails_its_jobs_and_no_others(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    stack.executor.batch_times = BatchTimes({1: 1.0, 2: 1.1, 4: 1.2, 8: 1.3}, 64 * 72)
    lost = await stack.upload("lost")
    (stored,) = stack.images
    there = await stack.upload("there")
    blocker = await stack.put()
    await stack.reach(blocker, "running")
    jobs = [await stack.put(job(init=(sha256, "0.5"))) for sha256 in (lost, there, lost)]
    stored.unlink()
    stack.executor.go()
    states = [await stack.reach(jobs[1], "finished")]
    for identity in (jobs[0], jobs[2]):
        state = await stack.reach(identity, "failed")
        assert state[-1].get("code") == "unknown-image"
        states.append(state)
    assert caplog.text.count(f"{lost} is lost") == 1
    assert [task.init for task in stack.executor.tasks[1:]] == [InitImage(b"there", 0.5)]
    # Whoever submits it again is told to upload it again.
    assert (await stack.client.delete(f"/v1/jobs/{jobs[0]}")).status_code == 204
    body = job(init=(lost, "0.5"))
    again = await stack.client.put(f"/v1/jobs/{jobs[0]}", content=body, headers=XML)
    assert (again.status_code, code(again)) == (422, "unknown-image")
    await stack.upload("lost")
    await stack.put(body, jobs[0])
    await stack.reach(jobs[0], "finished")


async def test_a_picture_that_was_lost_is_told_the_synchronous_caller(stack: Stack) -> None:
    sha256 = await stack.upload()
    stack.images[0].unlink()
    body = job(init=(sha256, "0.5"))
    answer = await stack.client.post("/generate_image", content=body, headers=XML)
    assert (answer.status_code, code(answer)) == (422, "unknown-image")


async def test_a_storage_that_fails_for_a_while_costs_no_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = asyncio.Event()

    async def fail(*_: object) -> bytes:
        failing.set()
        raise OSError(errno.EIO, "the disk is away")

    async with serving(tmp_path) as stack:
        sha256 = await stack.upload()
        with monkeypatch.context() as patch:
            patch.setattr(Results, "read", fail)
            identity = await stack.put(job(init=(sha256, "0.5")))
            await failing.wait()
            assert [claim.id for claim in stack.generator.progress.claims] == [identity]
            assert await stack.stop(identity) == [("queued", 0)]
    async with serving(tmp_path) as stack:
        with monkeypatch.context() as patch:
            failing.clear()
            patch.setattr(Results, "read", fail)
            await failing.wait()
        stack.executor.go()
        assert (await stack.reach(identity, "finished")).get("attempt") == "1"


async def test_what_nobody_uses_any_more_is_removed_with_its_bytes(stack: Stack) -> None:
    await stack.upload()
    assert stack.images
    stack.now[0] += 24 * 3600 + 1

    async def removed() -> bool | None:
        return None if stack.images else True

    assert await eventually(removed)
