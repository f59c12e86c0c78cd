"""Pictures to start from: how long they are kept, and for whom."""

from uuid import UUID

import pytest

from generator.jobs.errors import Fault, ImageInUse, JobConflict, UnknownImage
from generator.jobs.messages import Aspect, InitImage, JobRequest
from generator.jobs.uploads import KEEP_SECONDS
from generator.tasks import Picture
from tests.generator.jobs.opening import IMAGE, OpenQueue

pytestmark = pytest.mark.each_database

_SHA = "a" * 64
_REQUEST = JobRequest("a cat", init_image=InitImage(_SHA, 0.5))


def _id(number: int) -> UUID:
    return UUID(int=number)


async def _upload(opened: OpenQueue) -> None:
    assert await opened.uploads.add(_SHA, Picture(b"png", 30, 40))


async def _is_there(opened: OpenQueue, seconds: float) -> bool:
    """Whether it is kept so many seconds later."""
    opened.clock.now += seconds
    await opened.uploads.expire()
    found = await opened.uploads.find(_SHA)
    if found:
        assert await opened.uploads.read(_SHA) == b"png"
    return found


async def test_what_nobody_uses_is_kept_for_a_day(opened: OpenQueue) -> None:
    await _upload(opened)
    assert await _is_there(opened, KEEP_SECONDS)
    assert await opened.uploads.renew(_SHA)
    assert await _is_there(opened, KEEP_SECONDS)
    assert not await _is_there(opened, 1.0)
    with pytest.raises(FileNotFoundError):
        await opened.uploads.read(_SHA)


async def test_a_submission_that_names_it_counts_as_use(opened: OpenQueue) -> None:
    await _upload(opened)
    opened.clock.now += KEEP_SECONDS
    job = await opened.queue.submit(_id(1), _REQUEST)
    assert (job.init_sha256, job.init_strength) == (_SHA, "0.5")
    assert await _is_there(opened, 100 * KEEP_SECONDS)  # the job waits
    await opened.queue.cancel(job.id)
    await opened.queue.delete(job.id)
    assert await _is_there(opened, KEEP_SECONDS)
    assert not await _is_there(opened, 1.0)


@pytest.mark.parametrize("end", ["finish", "fail", "crash"])
async def test_the_end_of_a_job_that_names_it_counts_as_use(opened: OpenQueue, end: str) -> None:
    await _upload(opened)
    await opened.queue.submit(_id(1), _REQUEST)
    opened.clock.now += 100 * KEEP_SECONDS
    opened.leases.max_attempts = 1
    claim = await opened.claim()
    match end:
        case "finish":
            assert await opened.leases.finish(claim, IMAGE)
        case "fail":
            assert await opened.leases.fail(claim, Fault.CANNOT_COMPUTE, "No.")
        case _:
            assert await opened.leases.crash(claim)
    assert await _is_there(opened, KEEP_SECONDS)
    assert not await _is_there(opened, 1.0)


async def test_what_was_used_in_the_future_is_not_kept_for_ever(opened: OpenQueue) -> None:
    opened.clock.now = 100 * KEEP_SECONDS  # the clock was wrong, and the process ends meanwhile
    await _upload(opened)
    opened.clock.now = 0.0
    assert await _is_there(opened, 0.0)
    assert not await _is_there(opened, KEEP_SECONDS + 1)


async def test_one_in_use_is_not_deleted_and_a_sweep_leaves_it(opened: OpenQueue) -> None:
    await _upload(opened)
    await opened.queue.submit(_id(1), _REQUEST)
    with pytest.raises(ImageInUse):
        await opened.uploads.delete(_SHA)
    await opened.maintenance.sweep()
    assert await opened.uploads.read(_SHA) == b"png"


async def test_a_job_needs_the_picture_when_it_is_submitted_and_not_when_it_is_again(
    opened: OpenQueue,
) -> None:
    with pytest.raises(UnknownImage):
        await opened.queue.submit(_id(1), _REQUEST)
    assert await opened.queue.get(_id(1)) is None
    await _upload(opened)
    await opened.queue.submit(_id(1), _REQUEST)
    await opened.queue.cancel(_id(1))
    await opened.uploads.delete(_SHA)
    assert (await opened.queue.submit(_id(1), _REQUEST)).state == "cancelled"
    for other in (0.6, "twin"):
        with pytest.raises(JobConflict):
            await opened.queue.submit(
                _id(1), JobRequest("a cat", init_image=InitImage(_SHA, other))
            )


async def test_the_proportions_are_the_pictures_unless_others_are_asked_for(
    opened: OpenQueue,
) -> None:
    await _upload(opened)
    init = InitImage(_SHA, "twin")
    for number, (request, expected) in enumerate(
        (
            (JobRequest("x", init_image=init), (30, 40)),
            (JobRequest("x", init_image=init, aspect=Aspect(2, 1)), (2, 1)),
            (JobRequest("x", init_image=init, width=64, height=72), (None, None)),
            (JobRequest("x", init_image=init, height=72), (None, None)),
            (JobRequest("x", aspect=Aspect(2, 1)), (2, 1)),
            (JobRequest("x"), (None, None)),
        )
    ):
        job = await opened.queue.submit(_id(number), request)
        assert (job.aspect_width, job.aspect_height) == expected
