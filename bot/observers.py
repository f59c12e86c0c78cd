"""What happens in the bot, announced to whoever listens: the log; metrics and traces later.

Events carry ids, seconds and codes, never what somebody wrote. An `outcome` is `ok`, a code of
docs/errors.md, or the name of the exception.
"""

import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

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
        caption_seconds: from asking the captioner to its answer.
        waiting_seconds: from submitting the job to the first look that saw it run.
        picture_seconds: from then to the first look that saw it finished, or from submitting it if
            no look saw it run.
    """

    generation_id: str
    owner: str
    caption_seconds: float | None
    waiting_seconds: float | None
    picture_seconds: float | None


@dataclass(frozen=True, slots=True)
class SendDone:
    """A message was sent, edited or deleted, or was not.

    Attributes:
        method: the Bot API's.
        chat_id: in which chat.
        seconds: how long it took.
        outcome: how it ended.
    """

    method: str
    chat_id: int
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

    def send_done(self, event: SendDone) -> None:
        """A message was sent, edited or deleted, or was not."""

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
    observers: Sequence[Observer], announce: Callable[[Observer, float, str], None]
) -> Generator[None, None, None]:
    """Announces to each observer how long a block took, in seconds, and its outcome."""
    began, outcome = time.monotonic(), "ok"
    try:
        yield
    except BaseException as error:
        code = getattr(error, "code", None)
        outcome = code if isinstance(code, str) else type(error).__name__
        raise
    finally:
        seconds = time.monotonic() - began
        for observer in observers:
            announce(observer, seconds, outcome)
