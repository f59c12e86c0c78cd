"""What can go wrong with a job, as plain data; how to say it is up to whoever answers."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID


class Fault(StrEnum):
    """Why a job ended without a picture: the code of its `<error>`."""

    CANNOT_COMPUTE = "cannot-compute"
    GAVE_UP = "gave-up"
    REFUSED_BY_SAFETY = "refused-by-safety"
    UNKNOWN_IMAGE = "unknown-image"


class JobError(Exception):
    """A call that cannot be answered with what it asked for."""


class UnknownJob(JobError):
    """There is no job under this id."""

    def __init__(self, job_id: UUID) -> None:
        super().__init__(job_id)
        self.job_id = job_id


class JobConflict(JobError):
    """Another job is known under this id."""


class QueueFull(JobError):
    """There are as many unfinished jobs as there may be.

    Attributes:
        limit: how many that is.
        retry_seconds: after which it is worth asking again.
    """

    def __init__(self, limit: int, retry_seconds: int) -> None:
        super().__init__(limit)
        self.limit = limit
        self.retry_seconds = retry_seconds


class InvalidSize(JobError):
    """A side of a picture is not a multiple of what it has to be.

    Attributes:
        side: `width` or `height`.
        pixels: how long it was to be.
        factor: what it has to be a multiple of.
    """

    def __init__(self, side: str, pixels: int, factor: int) -> None:
        super().__init__(side, pixels)
        self.side = side
        self.pixels = pixels
        self.factor = factor


class SizeAndAspect(JobError):
    """A picture's size and its proportions are asked for at once."""


class UnknownImage(JobError):
    """The picture that a job is to start from is not there.

    Attributes:
        sha256: of its file, in hex.
    """

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256)
        self.sha256 = sha256


class NoSuchImage(JobError):
    """Nobody uploaded this picture to start from, or it is gone."""


class ImageInUse(JobError):
    """An unfinished job is to start from the picture."""


class ChecksumMismatch(JobError):
    """The bytes of an image are not those whose checksum was given."""


class InvalidImage(JobError):
    """The bytes are no image that a job can start from.

    Attributes:
        reason: why, in a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ImageTooLarge(JobError):
    """The image has too many pixels.

    Attributes:
        limit: how many it may have.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class UnknownPreset(JobError):
    """There is no such preset.

    Attributes:
        preset: that was asked for.
        known: those there are.
    """

    def __init__(self, preset: str, known: Sequence[str]) -> None:
        super().__init__(preset)
        self.preset = preset
        self.known = known


class PresetUnavailable(JobError):
    """The preset cannot be used here.

    Attributes:
        reason: why, in a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoImage(JobError):
    """The job has no picture.

    Attributes:
        state: where the job stands.
    """

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class ImageLost(JobError):
    """The picture is gone or damaged, so the job was deleted; it can be submitted again."""


class NoPreview(JobError):
    """The job has no preview.

    Attributes:
        state: where the job stands.
    """

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class JobFailed(JobError):
    """A job that was waited for ended without a picture.

    Attributes:
        fault: why.
        message: the same for the person who asked.
    """

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.message = message


class JobCancelled(JobError):
    """A job is no longer waited for.

    Attributes:
        state: where it stood at last: cancelled, or unfinished where the caller has gone; None:
            somebody else deleted it.
    """

    def __init__(self, state: str | None) -> None:
        super().__init__(state)
        self.state = state


class Stopping(JobError):
    """The service is stopping and no longer waits for jobs.

    Attributes:
        retry_seconds: after which it is worth asking again.
    """

    def __init__(self, retry_seconds: int) -> None:
        super().__init__()
        self.retry_seconds = retry_seconds
