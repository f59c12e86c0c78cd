"""Notices what other processes change in the queue, so that whoever waits here hears of it."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from generator.jobs.database import JobDatabase
from generator.jobs.tables import UNFINISHED, Job, LogicalClock
from generator.observers import Observer
from lookalike.transactions import atomic
from lookalike.waiting import any_of, unless

_LOOK_SECONDS = 1.0
"""How soon a change is noticed of which nobody tells, or whose telling was lost."""

_REST_SECONDS = 0.05
"""Others change the queue more often than anybody has to look."""

_LISTEN_SECONDS = 5.0
"""After which it is tried again to listen."""


class Follower:
    """Compares the logical clock with what it was: all that changes a job's state advances it."""

    def __init__(self, database: JobDatabase, observers: Sequence[Observer]) -> None:
        """Nothing was seen yet.

        Args:
            database: is followed; its events are told.
            observers: are told when it cannot be read.
        """
        self.run = database.run
        self._events = database.events
        self._observers = observers
        self._listen = database.listen
        self._news = asyncio.Event()
        self._failing = set[str]()
        self._seen: int | None = None

    async def follow(self, stop: asyncio.Event) -> None:
        """Looks at what others tell of, and every second, until `stop` is set."""
        while not stop.is_set():
            await any_of(stop, self._news, seconds=_LOOK_SECONDS)
            self._news.clear()
            await self.look()
            await any_of(stop, seconds=_REST_SECONDS)

    async def listen(self, stop: asyncio.Event) -> None:
        """Hears what others tell, as far as the database passes that on, until `stop` is set."""
        while not stop.is_set():
            try:
                await unless(stop, self._listen(self._news))
            except OSError as error:
                self._fail("listen for changes", error)
            await any_of(stop, seconds=_LISTEN_SECONDS)

    async def look(self) -> None:
        """Looks now."""
        awaited = self._events.awaited
        try:
            now, unfinished = await self._look(awaited)
        except OSError as error:
            self._fail("look for changes", error)
            return
        self._failing.clear()
        if now != self._seen:
            self._seen = now
            self._events.tell(set(awaited) - unfinished)

    def _fail(self, action: str, error: OSError) -> None:
        """Tells it once until the database can be read again."""
        if action not in self._failing:
            self._failing.add(action)
            for observer in self._observers:
                observer.storage_failed(action, error)

    @atomic
    def _look(self, session: Session, awaited: Sequence[UUID]) -> tuple[int, set[UUID]]:
        """The clock, and which of these jobs have not ended, if it has moved."""
        now = session.execute(select(LogicalClock.now)).scalar_one()
        if now == self._seen or not awaited:
            return now, set()
        unfinished = select(Job.id).where(Job.id.in_(awaited), Job.state.in_(UNFINISHED))
        return now, set(session.scalars(unfinished))
