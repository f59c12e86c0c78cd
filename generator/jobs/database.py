"""The database of the job queue: its transactions, the events they cause, and the time."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from generator.jobs.clock import clock_of
from generator.jobs.events import JobEvents
from lookalike.database import create_engine
from lookalike.migrations import migrate
from lookalike.transactions import Transactional

MIGRATIONS: Final = Path(__file__).with_name("migrations")
"""What brings a database of any earlier version to `generator.jobs.tables`."""

_CHANNEL = "lookalike_jobs"

_log = logging.getLogger(__name__)


class JobDatabase(Transactional):
    """The database. Transactions raise OSError if it is full, busy, broken or away.

    Create it while an event loop runs.

    Attributes:
        events: wakes whoever waits for jobs to change.
        now: tells a transaction the time, in seconds since 1970; see `clock_of`.
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[], float] | None = None,
        timed: Callable[[float], None] | None = None,
    ) -> None:
        """Opens a database, creating the tables if they are missing, and brings it up to date.

        Args:
            url: `sqlite:///path` or `postgresql://...`.
            clock: tells the time; None: the database's own.
            timed: see `Transactional`.

        Raises:
            StartError: it cannot be used, another process uses its file, or there is no room to
                upgrade it.
        """
        engine = create_engine(url)
        try:
            migrate(engine, MIGRATIONS)
        except BaseException:
            engine.dispose()
            raise
        super().__init__(engine, timed)
        _log.info("The job queue is %s.", self._backend.named(engine))
        self._name = secrets.token_hex(8)  # by which it knows its own changes
        self.events = JobEvents(self._sessions, self._tell_others)
        self.now = clock_of(self._backend) if clock is None else lambda _session: clock()

    def take_snapshot(self, session: Session) -> None:
        """As a transaction's first: all it reads is as of one moment, and it writes nothing."""
        self._backend.take_snapshot(session)

    async def listen(self, news: asyncio.Event) -> None:
        """Sets `news` at what other processes announce, until it is cancelled.

        Raises:
            OSError: nothing is heard any more; it is still there for whoever looks.
        """

        def hear(name: str) -> None:
            if name != self._name:
                news.set()

        await self._backend.listen(self._engine, _CHANNEL, hear)

    def _tell_others(self, session: Session) -> None:
        self._backend.notify(session, _CHANNEL, self._name)
