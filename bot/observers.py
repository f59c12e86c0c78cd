"""What happens in the bot, announced to whoever listens: the log; metrics and traces later."""

import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A picture that was delivered, and how long it took.

    Attributes:
        generation_id: of which generation.
        owner: whose it is: `telegram:<user id>`.
        caption_seconds: from asking the captioner to its answer.
        waiting_seconds: from submitting the job to the first look that saw it run.
        picture_seconds: from then to the first look that saw it finished, or from submitting it if
            no look saw it run.

    What was not seen by this process, such as what was before its start, is None.
    """

    generation_id: str
    owner: str
    caption_seconds: float | None
    waiting_seconds: float | None
    picture_seconds: float | None


class Observer:
    """Hears what happens. Each method does nothing here; a listener overrides what it wants.

    Events carry ids, seconds and codes, never what somebody wrote. An `outcome` is `ok`, a code of
    docs/errors.md, or the name of the exception.
    """

    def stage_begun(self, stage: str, generation_id: str) -> None:
        """A stage has begun."""

    def stage_ended(self, stage: str, generation_id: str, seconds: float, outcome: str) -> None:
        """A stage has ended."""

    def delivered(self, delivery: Delivery) -> None:
        """A picture was sent, and that is recorded."""

    def send_done(self, method: str, chat_id: int, seconds: float, outcome: str) -> None:
        """A message was sent, edited or deleted by a method of the Bot API, or was not."""

    def rpc_done(self, service: str, method: str, seconds: float, outcome: str) -> None:
        """A call of dbservice or the generator has ended; generator's methods are HTTP's."""


class LoggingObserver(Observer):
    """Writes a line to the log for each picture."""

    def delivered(self, delivery: Delivery) -> None:
        """Who got it, and the seconds that are known."""
        known = [
            f"{name} {seconds:.1f} s"
            for name, seconds in (
                ("caption", delivery.caption_seconds),
                ("waited", delivery.waiting_seconds),
                ("painted", delivery.picture_seconds),
            )
            if seconds is not None
        ]
        times = f": {', '.join(known)}" if known else ""
        _log.info("Delivered to %s%s.", delivery.owner, times)


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
