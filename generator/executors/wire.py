"""What is said to an executor on another machine, and what it says: JSON, an object a line.

A call says its tasks, a line each, and then that it begins. Now and later it may say that a task is
cancelled; if it breaks off, all are. The answer's first line tells that the call's turn has come;
steps, the end of each task or a measurement follow. Whatever comes without its end has broken off.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from generator.presets import PRESETS
from generator.tasks import (
    BatchTimes,
    Cancelled,
    InitImage,
    ModelInfo,
    Outcome,
    Picture,
    SafetyRejected,
    Step,
    Task,
    TaskError,
)

CALLS_PATH = "/painter/v1/calls"
"""Where calls go, below the address; a version that speaks otherwise has another path."""

REPLICAS_PATH = "/replicas/v1"
"""Where it is asked how many can be served at once."""

MEDIA_TYPE = "application/x-ndjson"

MAX_LINE_BYTES = 24 * 1024 * 1024
"""A picture to start from has up to 4 million pixels (`lookalike.imaging`): 17 MB as base64."""

MAX_TASKS = 8
"""In one call."""


class NotUnderstood(Exception):
    """The other side says what cannot be; the message quotes nothing of it."""


class _Line(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        allow_inf_nan=False,
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )

    def encode(self) -> bytes:
        """The line with its end."""
        return self.model_dump_json().encode() + b"\n"


_Side = Annotated[int, Field(ge=64, le=1024, multiple_of=8)]


class _Init(_Line):
    image: Annotated[bytes, Field(max_length=MAX_LINE_BYTES)]
    strength: Annotated[float, Field(gt=0, le=1)]


class TaskLine(_Line):
    """A task of the call; see `generator.tasks.Task`."""

    kind: Literal["task"] = "task"
    prompt: Annotated[str, Field(min_length=1, max_length=1000)]
    negative_prompt: Annotated[str, Field(max_length=1000)]
    width: _Side
    height: _Side
    steps: Annotated[int, Field(ge=1, le=150)]
    guidance_scale: Annotated[float, Field(ge=0, le=30)]
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    preset: str
    init: _Init | None

    @field_validator("preset")
    @classmethod
    def _check_preset(cls, value: str) -> str:
        if value not in PRESETS:
            raise ValueError("there is no such preset")
        return value

    @classmethod
    def of(cls, task: Task) -> Self:
        """The line for a task."""
        init = task.init
        return cls(
            prompt=task.prompt,
            negative_prompt=task.negative_prompt,
            width=task.width,
            height=task.height,
            steps=task.steps,
            guidance_scale=task.guidance_scale,
            seed=task.seed,
            preset=task.preset,
            init=None if init is None else _Init(image=init.image, strength=init.strength),
        )

    @property
    def task(self) -> Task:
        """The task that the line is for."""
        init = self.init
        return Task(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            width=self.width,
            height=self.height,
            steps=self.steps,
            guidance_scale=self.guidance_scale,
            seed=self.seed,
            preset=self.preset,
            init=None if init is None else InitImage(init.image, init.strength),
        )


class BeginLine(_Line):
    """All tasks are said; or batches of these sizes are to be measured; or it is only asked."""

    kind: Literal["begin"] = "begin"
    measure: Annotated[
        list[Annotated[int, Field(ge=1, le=MAX_TASKS)]], Field(max_length=MAX_TASKS)
    ] = []


class CancelLine(_Line):
    """The task with this number, from 0, is to end within one step."""

    kind: Literal["cancel"] = "cancel"
    task: Annotated[int, Field(ge=0, lt=MAX_TASKS)]


class BegunLine(_Line):
    """The call's turn has come.

    Attributes:
        model: what is loaded.
        free_bytes: of memory, before anything of the call is computed.
    """

    kind: Literal["begun"] = "begun"
    model: ModelInfo
    free_bytes: int


class StepLine(_Line):
    """A task has done a step; see `generator.tasks.Step`."""

    kind: Literal["step"] = "step"
    task: int
    number: int
    preview: bytes | None = None

    @classmethod
    def of(cls, step: Step) -> Self:
        """The line for a step."""
        return cls(task=step.task, number=step.number, preview=step.preview)

    @property
    def step(self) -> Step:
        """The step that the line is for."""
        return Step(self.task, self.number, self.preview)


class EndLine(_Line):
    """How a task has ended."""

    kind: Literal["end"] = "end"
    task: int
    how: Literal["picture", "refused", "cancelled", "error"]
    png: bytes = b""
    width: int = 0
    height: int = 0
    message: str = ""

    @classmethod
    def of(cls, task: int, outcome: Outcome) -> Self:
        """The line for the outcome of the task with this number."""
        match outcome:
            case Picture(png, width, height):
                return cls(task=task, how="picture", png=png, width=width, height=height)
            case SafetyRejected():
                return cls(task=task, how="refused")
            case TaskError():
                return cls(task=task, how="error", message=str(outcome))
            case Cancelled():
                return cls(task=task, how="cancelled")

    @property
    def outcome(self) -> Outcome:
        """The outcome that the line is for."""
        match self.how:
            case "picture":
                return Picture(self.png, self.width, self.height)
            case "refused":
                return SafetyRejected()
            case "error":
                return TaskError(self.message)
            case "cancelled":
                return Cancelled()


class MeasuredLine(_Line):
    """What was measured of batches."""

    kind: Literal["measured"] = "measured"
    times: BatchTimes


class BrokenLine(_Line):
    """The computation failed; the log over there says how.

    Attributes:
        error: the kind of exception.
    """

    kind: Literal["broken"] = "broken"
    error: str


class ReplicasLine(_Line):
    """How many calls can be served.

    Attributes:
        running: so many at once.
        ready: calls are taken, even if none is served at once, since one is started then.
    """

    running: Annotated[int, Field(ge=0)]
    ready: bool


Request = TaskLine | BeginLine | CancelLine
Answer = BegunLine | StepLine | EndLine | MeasuredLine | BrokenLine

_REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


def read_request(line: bytes) -> Request:
    """A line of a call.

    Raises:
        NotUnderstood: it is none.
    """
    try:
        return _REQUEST.validate_json(line)
    except ValidationError as error:
        raise NotUnderstood(_where(error)) from None


def read_answer(line: bytes) -> Answer:
    """A line of an answer.

    Raises:
        NotUnderstood: it is none.
    """
    try:
        return _ANSWER.validate_json(line)
    except ValidationError as error:
        raise NotUnderstood(_where(error)) from None


def read_replicas(document: bytes) -> ReplicasLine:
    """What is told of replicas.

    Raises:
        NotUnderstood: it is not that.
    """
    try:
        return ReplicasLine.model_validate_json(document)
    except ValidationError as error:
        raise NotUnderstood(_where(error)) from None


def _where(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['type']}"


class Splitter:
    """Cuts what comes in pieces into lines."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def split(self, piece: bytes) -> Iterator[bytes]:
        """The lines that end in a piece.

        Raises:
            NotUnderstood: a line is too long.
        """
        start = len(self._rest)
        self._rest += piece
        while (end := self._rest.find(b"\n", start)) >= 0:
            yield bytes(self._rest[:end])
            del self._rest[: end + 1]
            start = 0
        if len(self._rest) > MAX_LINE_BYTES:
            raise NotUnderstood("a line is too long")
