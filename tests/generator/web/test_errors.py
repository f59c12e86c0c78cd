"""Every error of a job has its problem."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from generator.jobs import errors
from generator.jobs.errors import Fault, JobError
from generator.web.errors import problem_of
from generator.web.problems import Code

_ERRORS: dict[JobError, Code] = {
    errors.UnknownJob(UUID(int=1)): Code.UNKNOWN_JOB,
    errors.JobConflict(): Code.JOB_CONFLICT,
    errors.QueueFull(5, 10): Code.QUEUE_FULL,
    errors.InvalidSize("width", 65, 8): Code.INVALID_SIZE,
    errors.UnknownPreset("x", ["a", "b"]): Code.UNKNOWN_PRESET,
    errors.PresetUnavailable("It cannot."): Code.PRESET_UNAVAILABLE,
    errors.SizeAndAspect(): Code.INVALID_SIZE,
    errors.UnknownImage("0" * 64): Code.UNKNOWN_IMAGE,
    errors.NoSuchImage(): Code.NO_SUCH_IMAGE,
    errors.ImageInUse(): Code.IMAGE_IN_USE,
    errors.ChecksumMismatch(): Code.CHECKSUM_MISMATCH,
    errors.InvalidImage("Broken."): Code.INVALID_IMAGE,
    errors.ImageTooLarge(40_000_000): Code.IMAGE_TOO_LARGE,
    errors.NoImage("queued"): Code.NO_IMAGE,
    errors.ImageLost(): Code.NO_IMAGE,
    errors.NoPreview("queued"): Code.NO_PREVIEW,
    errors.JobFailed(Fault.GAVE_UP, "It was given up."): Code.JOB_FAILED,
    errors.JobFailed(Fault.CANNOT_COMPUTE, "Too big."): Code.CANNOT_COMPUTE,
    errors.JobFailed(Fault.REFUSED_BY_SAFETY, "Refused."): Code.REFUSED_BY_SAFETY,
    errors.JobFailed(Fault.UNKNOWN_IMAGE, "It is gone."): Code.UNKNOWN_IMAGE,
    errors.JobCancelled("cancelled"): Code.JOB_CANCELLED,
    errors.JobCancelled(None): Code.JOB_CANCELLED,
    errors.Stopping(10): Code.STOPPING,
}


def _all(error: type[JobError]) -> Iterator[type[JobError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from _all(kind)


def test_none_is_forgotten() -> None:
    assert {type(error) for error in _ERRORS} == set(_all(JobError))


@pytest.mark.parametrize("error", _ERRORS)
def test_each_has_its_code_and_a_sentence(error: JobError) -> None:
    problem = problem_of(error)
    assert problem.code is _ERRORS[error]
    assert problem.detail.endswith(".")


@pytest.mark.parametrize("error", [errors.QueueFull(5, 10), errors.Stopping(10)])
def test_those_that_pass_say_when_to_ask_again(error: JobError) -> None:
    assert problem_of(error).headers == {"Retry-After": "10"}


def test_another_is_a_fault_of_ours() -> None:
    class New(JobError):
        """Somebody forgot to say what callers are told."""

    with pytest.raises(New):
        problem_of(New())
