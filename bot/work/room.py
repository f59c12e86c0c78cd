"""Room in the generator, given in the order of the line."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from bot.work.backoff import Backoff
from bot.work.memory import Memory

_log = logging.getLogger(__name__)

_LONGEST_WAIT = 10.0
"""Between two requests: there is one for all that wait, so it may come often."""


class NoRoom(Exception):
    """The generator takes no job just now; each tick tries again, in the order of the line.

    Attributes:
        code: what is waited for, a code that the texts know.
        lasts: it is not the first time in a row.
    """

    def __init__(self, code: str, *, lasts: bool) -> None:
        super().__init__(code)
        self.code = code
        self.lasts = lasts


class Room:
    """The way into the generator: one item asks at a time, and all are turned away with it.

    Whoever was turned away waits for the same moment as all the others. Then the first in the line
    asks for all: taken, the next one goes; turned away, so are those behind it, without a request.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._backoff = Backoff(clock, _LONGEST_WAIT)
        self._code = ""
        self._asking = False
        self._waiting: list[tuple[Memory, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, memory: Memory) -> AsyncGenerator[None, None]:
        """Waits for an item's turn, and has it while the context lasts.

        Args:
            memory: of the item; it has its place in the line.

        Raises:
            NoRoom: the generator takes no job just now.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((memory, turn))
        self._call_next()
        try:
            await turn
            self._check()
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._asking = False
            self._waiting = [each for each in self._waiting if each[1] is not turn]
            self._call_next()

    def taken(self) -> None:
        """The generator takes jobs."""
        self._backoff.reset()

    def turned_away(self, code: str, retry_after: float | None) -> NoRoom:
        """The generator takes none for now; `retry_after` are the seconds that it asked to wait."""
        self._code = code
        if not self._backoff.tries:
            _log.info("The generator takes no jobs for now: %s", code)
        self._backoff.put_off(retry_after)
        return self._no_room()

    def _check(self) -> None:
        if self._backoff.seconds:
            raise self._no_room()

    def _no_room(self) -> NoRoom:
        return NoRoom(self._code, lasts=self._backoff.tries > 1)

    def _call_next(self) -> None:
        # One that was cancelled stays until its task has heard of it.
        waiting = [each for each in self._waiting if not each[1].done()]
        if self._asking or not waiting:
            return
        _, turn = min(waiting, key=lambda each: each[0].place)
        self._asking = True
        turn.set_result(None)
