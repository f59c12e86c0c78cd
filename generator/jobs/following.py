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
from lookalike.waiting import any_of

_LOOK_SECONDS = 1.0
"""How soon a change is noticed of which nobody tells."""


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
        self._seen: int | None = None

    async def follow(self, stop: asyncio.Event) -> None:
        """Looks every second, until `stop` is set."""
        while not stop.is_set():
            await any_of(stop, seconds=_LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Looks now. Whoever is told of changes by the database itself calls this, too."""
        awaited = self._events.awaited
        try:
            now, unfinished = await self._look(awaited)
        except OSError as error:
            for observer in self._observers:
                observer.storage_failed("look for changes", error)
            return
        if now != self._seen:
            self._seen = now
            self._events.tell(set(awaited) - unfinished)

    @atomic
    def _look(self, session: Session, awaited: Sequence[UUID]) -> tuple[int, set[UUID]]:
        """The clock, and which of these jobs have not ended, if it has moved."""
        now = session.execute(select(LogicalClock.now)).scalar_one()
        if now == self._seen or not awaited:
            return now, set()
        unfinished = select(Job.id).where(Job.id.in_(awaited), Job.state.in_(UNFINISHED))
        return now, set(session.scalars(unfinished))
