"""The tables of the job queue; `migrations/` makes them."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


UNFINISHED = (State.QUEUED, State.RUNNING)
"""The states of jobs that have not ended."""


class Base(DeclarativeBase):
    """What the tables have in common."""


class LogicalClock(Base):
    """One row: a counter that every event advances. It orders jobs, fences, and owners' turns.

    It is also the queue's lock, and tells whether anything has changed; see `clock.advance`.

    Attributes:
        id: always 1.
        now: what it was advanced to last.
    """

    __tablename__ = "logical_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    now: Mapped[int] = mapped_column(BigInteger)


class Holder(Base):
    """A generator that works on this queue, or did until it died.

    Attributes:
        name: of one process alone, ever.
        fence: the logical time of its start; a picture that was uploaded to it has this in its key.
        alive_until: until when nobody takes it for dead, in seconds since 1970. It renews that.
        capacity: how many batches it computes at once; 0: none yet.
    """

    __tablename__ = "holders"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    fence: Mapped[int] = mapped_column(BigInteger)
    alive_until: Mapped[float]
    capacity: Mapped[int]


class Owner(Base):
    """Whose turn it was when.

    Attributes:
        name: as requests give it; "" stands for all who give none.
        served: the logical time of the last claim. A newcomer's is the one before the newest of
            all owners': they have waited longer than whoever was served last, and no longer than
            the others. 0: nobody was served yet, or a job was given back and its owner goes first.
    """

    __tablename__ = "owners"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    served: Mapped[int] = mapped_column(BigInteger)


class UploadedImage(Base):
    """A picture that jobs may start from.

    Attributes:
        sha256: of the file that was uploaded, in hex.
        key: where what was made of it is stored, a PNG.
        width: of the PNG, in pixels.
        height: likewise.
        png_sha256: of the PNG's bytes, in hex.
        used_at: when it was uploaded, named by a job that was submitted, or by one that ended,
            whichever was last, in seconds since 1970.
    """

    __tablename__ = "uploaded_images"
    __table_args__ = (Index("uploaded_images_used_at", "used_at"),)

    sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text)
    width: Mapped[int]
    height: Mapped[int]
    png_sha256: Mapped[str] = mapped_column(Text)
    used_at: Mapped[float]


class Job(Base):
    """One job, from its submission until it is deleted.

    Attributes:
        id: chosen by the caller.
        owner: an Owner's name.
        fingerprint: of the request before defaults.
        state: a State.
        sequence: the logical time that gives its place among its owner's jobs.
        waiter: the Holder whose open request waits for the job; the job dies with it.
        prompt: of the task, as all until `attempts`.
        negative_prompt: default filled in.
        width: pixels; None: the model's own.
        height: likewise.
        preset: default filled in.
        steps: default filled in.
        guidance_scale: default filled in.
        seed: given or chosen.
        init_sha256: an UploadedImage's: what it starts from.
        init_strength: a number, or a step of the dial, which each model has a number for.
        aspect_width: of the proportions that its size follows, in any unit.
        aspect_height: likewise.
        attempts: how often a computation began, clean stops not counted.
        fence: the logical time of the last claim; every write of its holder carries it.
        holder: who computes it, a Holder's name.
        batch: the first fence among the claims that are computed together with the last one.
        lease_until: until when nobody else may, in seconds since 1970.
        step: how many were done of that claim a moment ago; its holder knows better.
        step_seconds: what a step of its batch takes, as its holder has measured it.
        model: what computes or computed it.
        image_key: where its picture is stored.
        image_width: pixels.
        image_height: pixels.
        image_sha256: of the picture's bytes, in hex.
        error_code: a Fault, where it ended without a picture.
        error_message: the same for the person who asked.
        submitted_at: seconds since 1970; None: before that was recorded.
        ended_at: likewise.
        traceparent: of what submitted it, as W3C Trace Context has it; None: nothing was traced.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_state", "state"),
        Index("jobs_owner", "owner"),
        Index("jobs_ended_at", "ended_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    sequence: Mapped[int] = mapped_column(BigInteger)
    waiter: Mapped[str | None] = mapped_column(Text)
    prompt: Mapped[str] = mapped_column(Text)
    negative_prompt: Mapped[str] = mapped_column(Text)
    width: Mapped[int | None]
    height: Mapped[int | None]
    preset: Mapped[str] = mapped_column(Text)
    steps: Mapped[int]
    guidance_scale: Mapped[float]
    seed: Mapped[int] = mapped_column(BigInteger)
    init_sha256: Mapped[str | None] = mapped_column(Text)
    init_strength: Mapped[str | None] = mapped_column(Text)
    aspect_width: Mapped[int | None]
    aspect_height: Mapped[int | None]
    attempts: Mapped[int]
    fence: Mapped[int] = mapped_column(BigInteger)
    holder: Mapped[str | None] = mapped_column(Text)
    batch: Mapped[int | None] = mapped_column(BigInteger)
    lease_until: Mapped[float | None]
    step: Mapped[int] = mapped_column(server_default="0")
    step_seconds: Mapped[float | None]
    model: Mapped[str | None] = mapped_column(Text)
    image_key: Mapped[str | None] = mapped_column(Text)
    image_width: Mapped[int | None]
    image_height: Mapped[int | None]
    image_sha256: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    error_message: Mapped[str | None] = mapped_column(Text)
    submitted_at: Mapped[float | None]
    ended_at: Mapped[float | None]
    traceparent: Mapped[str | None] = mapped_column(Text)
