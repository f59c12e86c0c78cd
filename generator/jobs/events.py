"""Tells whoever waits what transactions changed, once they are committed.

What this process changes, it hears of at once. What others change, it finds when it looks, and it
looks when they tell.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

_ENDED = "ended"  # where a transaction's session keeps it


class JobEvents:
    """Wakes coroutines that wait for jobs to change. Create it while an event loop runs."""

    def __init__(
        self, sessions: sessionmaker[Session], tell_others: Callable[[Session], None]
    ) -> None:
        """Nothing has changed yet.

        Args:
            sessions: whose transactions are followed.
            tell_others: has other processes told of a transaction's changes after its commit.
        """
        event.listen(sessions, "after_commit", self._committed)
        self._tell_others = tell_others
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        # Weak: an event lives as long as somebody waits for it.
        self._ended = WeakValueDictionary[UUID, asyncio.Event]()

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next change of any job's state; take it before you look."""
        return self._changed

    def ended(self, job_id: UUID) -> asyncio.Event:
        """Set when this job may have ended or be gone; take it before you look at the job."""
        return self._ended.setdefault(job_id, asyncio.Event())

    @property
    def awaited(self) -> Sequence[UUID]:
        """The jobs whose ends are waited for."""
        return list(self._ended)

    def tell(self, ended: Iterable[UUID]) -> None:
        """Jobs have changed, and these may have ended or be gone."""
        self._changed.set()
        self._changed = asyncio.Event()
        for job_id in ended:
            if (awaited := self._ended.pop(job_id, None)) is not None:
                awaited.set()

    def announce(self, session: Session, *ended: UUID) -> None:
        """Has it told after the commit: jobs have changed, and these have ended or are gone."""
        if _ENDED not in session.info:
            session.info[_ENDED] = []
            self._tell_others(session)
        session.info[_ENDED].extend(ended)

    def _committed(self, session: Session) -> None:
        """In the database's thread, and not left to the caller, who may be gone by now."""
        if (ended := session.info.get(_ENDED)) is not None:
            self._loop.call_soon_threadsafe(self.tell, ended)
