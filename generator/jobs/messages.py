"""What a caller asks for and what they are told, whatever format it is written in."""

import hashlib
import json
from dataclasses import astuple, dataclass
from uuid import UUID

from generator.jobs.errors import InvalidSize, SizeAndAspect, UnknownPreset
from generator.presets import PRESETS

_SIDE_FACTOR = 8

_FIRST_FIELDS = 9
"""What a request had at first. Jobs from then are submitted again, and are to be the same."""


@dataclass(frozen=True)
class InitImage:
    """The picture that a job starts from.

    Attributes:
        sha256: of the file that was uploaded, in hex.
        strength: above 0, up to 1: how much of it is painted anew. Or a step of the dial, `twin`,
            `sibling` or `cousin`, for which the model has the number.
    """

    sha256: str
    strength: float | str


@dataclass(frozen=True)
class Aspect:
    """The proportions of a picture, in any unit.

    Attributes:
        width: 1 to 100,000.
        height: likewise.
    """

    width: int
    height: int


@dataclass(frozen=True)
class JobRequest:
    """What a caller asks for, as they wrote it: None stands for what was left out.

    Attributes:
        prompt: 1 to 1,000 characters.
        negative_prompt: up to 1,000 characters.
        owner: in whose turn the job is computed, up to 64 characters.
        preset: a known one.
        width: pixels, a multiple of 8 in 64 to 1,024.
        height: likewise.
        steps: 1 to 150.
        guidance_scale: 0 to 30.
        seed: 0 to 2^63 - 1.
        init_image: what it starts from.
        aspect: instead of width and height.

    Raises:
        UnknownPreset: there is no such preset.
        InvalidSize: a side is no multiple of 8.
        SizeAndAspect: it has both.
    """

    prompt: str
    negative_prompt: str | None = None
    owner: str | None = None
    preset: str | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    seed: int | None = None
    init_image: InitImage | None = None
    aspect: Aspect | None = None

    def __post_init__(self) -> None:
        if self.preset is not None and self.preset not in PRESETS:
            raise UnknownPreset(self.preset, list(PRESETS))
        for name, side in (("width", self.width), ("height", self.height)):
            if side is not None and side % _SIDE_FACTOR:
                raise InvalidSize(name, side, _SIDE_FACTOR)
        if self.aspect is not None and self.has_size:
            raise SizeAndAspect

    @property
    def has_size(self) -> bool:
        """Whether a side is given; where the other is not, it is the model's own."""
        return self.width is not None or self.height is not None

    def fingerprint(self) -> str:
        """The same for the same request, whatever its spelling; 64 hex digits."""
        values = astuple(self)
        if self.init_image is None and self.aspect is None:
            values = values[:_FIRST_FIELDS]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()


@dataclass(frozen=True)
class Image:
    """A picture of a finished job: by reference, or with its bytes.

    Attributes:
        width: pixels.
        height: pixels.
        sha256: of the PNG, in hex.
        png: the bytes; None: whoever wants them fetches them.
    """

    width: int
    height: int
    sha256: str
    png: bytes | None = None


@dataclass(frozen=True)
class JobState:
    """What is told of a job. None and "" are left out.

    Attributes:
        id: the job's.
        state: a `generator.jobs.tables.State`, or `unknown`.
        attempt: how often its computation has begun.
        owner: as it was given.
        model: what computes or computed it.
        seed: given or chosen.
        progress: steps done, and all.
        position: how many jobs are ahead of it.
        eta_seconds: until it is finished, as far as known.
        preview: whether there is one.
        image: if finished.
        error: code and message, if it ended without a picture.
    """

    id: UUID
    state: str
    attempt: int | None = None
    owner: str = ""
    model: str = ""
    seed: int | None = None
    progress: tuple[int, int] | None = None
    position: int | None = None
    eta_seconds: float | None = None
    preview: bool = False
    image: Image | None = None
    error: tuple[str, str] | None = None
