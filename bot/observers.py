"""What happens in the bot, announced to whoever listens: the log and the metrics.

Events carry ids, seconds and codes, never what somebody wrote. An `outcome` is `ok`, a code of
docs/errors.md, or the name of the exception.
"""

import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from lookalike import tracing

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StageBegun:
    """A stage has begun.

    Attributes:
        stage: its name: store, caption, ...
        generation_id: for which generation.
    """

    stage: str
    generation_id: str


@dataclass(frozen=True, slots=True)
class StageEnded:
    """A stage has ended.

    Attributes:
        stage: its name.
        generation_id: for which generation.
        seconds: how long it took.
        outcome: how it ended.
    """

    stage: str
    generation_id: str
    seconds: float
    outcome: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """A picture was sent, and that is recorded.

    What this process has not seen, such as what was before its start, is None.

    Attributes:
        generation_id: of which generation.
        owner: whose it is: `telegram:<user id>`.
        seconds: from when it was asked for, by dbservice's clock and this machine's.
        caption_seconds: from asking the captioner to its answer.
        waiting_seconds: from submitting the job to the first look that saw it run.
        picture_seconds: from then to the first look that saw it finished, or from submitting it if
            no look saw it run.
    """

    generation_id: str
    owner: str
    seconds: float
    caption_seconds: float | None
    waiting_seconds: float | None
    picture_seconds: float | None


class Ending(NamedTuple):
    """How a picture ended.

    Attributes:
        end: in which state: delivered, failed, refused, cancelled, undeliverable.
        code: why, if that is failed, refused or undeliverable; else "".
    """

    end: str
    code: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A generation is over: its user was told how it ended, and what it has left is tidied up.

    Attributes:
        generation_id: which one.
        endings: of each picture that it was to give.
    """

    generation_id: str
    endings: Sequence[Ending]


@dataclass(frozen=True, slots=True)
class SendDone:
    """A call of the Bot API has ended, but for those that wait for updates.

    Attributes:
        method: which one, such as `sendPhoto`.
        seconds: how long it took, its turn included.
        outcome: how it ended; `too-many-requests` is Telegram's 429.
    """

    method: str
    seconds: float
    outcome: str


@dataclass(frozen=True, slots=True)
class RpcDone:
    """A call of another service has ended.

    Attributes:
        service: dbservice or generator.
        method: the RPC's name; for the generator, HTTP's method.
        seconds: how long it took.
        outcome: how it ended.
    """

    service: str
    method: str
    seconds: float
    outcome: str


class Observer:
    """Is told what happens, on the event loop. A listener overrides what it wants to hear of."""

    def stage_begun(self, event: StageBegun) -> None:
        """A stage has begun."""

    def stage_ended(self, event: StageEnded) -> None:
        """A stage has ended."""

    def delivered(self, event: Delivered) -> None:
        """A picture was sent, and that is recorded."""

    def closed(self, event: Closed) -> None:
        """A generation is over."""

    def send_done(self, event: SendDone) -> None:
        """A call of the Bot API has ended."""

    def rpc_done(self, event: RpcDone) -> None:
        """A call of another service has ended."""


class LogObserver(Observer):
    """Writes a line to the log for each picture."""

    def delivered(self, event: Delivered) -> None:
        """Who got it, and the seconds that are known."""
        known = [
            f"{name} {seconds:.1f} s"
            for name, seconds in (
                ("caption", event.caption_seconds),
                ("waited", event.waiting_seconds),
                ("painted", event.picture_seconds),
            )
            if seconds is not None
        ]
        times = f": {', '.join(known)}" if known else ""
        _log.info("Delivered to %s%s.", event.owner, times)


@contextmanager
def timed(
    observers: Sequence[Observer],
    announce: Callable[[Observer, float, str], None],
    span: tracing.Span = tracing.NOOP,
    problem_of: Callable[[BaseException], str] = tracing.error_of,
) -> Generator[None, None, None]:
    """Announces to each observer how long a block took, in seconds, and its outcome.

    The span ends with the block, and is not current in it: it has no parts in this process.
    """
    began, problem = time.monotonic(), ""
    try:
        yield
    except BaseException as error:
        problem = problem_of(error)
        raise
    finally:
        seconds = time.monotonic() - began
        span.end(problem)
        for observer in observers:
            announce(observer, seconds, problem or "ok")
