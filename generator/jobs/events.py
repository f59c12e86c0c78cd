"""Tells whoever waits what transactions changed, once they are committed."""

import asyncio
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

_ENDED = "ended"  # where a transaction's session keeps it


class JobEvents:
    """Wakes coroutines that wait for jobs to change. Create it while an event loop runs."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        """Follows the transactions of these sessions."""
        event.listen(sessions, "after_commit", self._committed)
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        # Weak: an event lives as long as somebody waits for it.
        self._ended = WeakValueDictionary[UUID, asyncio.Event]()

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next change of any job's state; take it before you look."""
        return self._changed

    def ended(self, job_id: UUID) -> asyncio.Event:
        """Set when this job ends or is dropped; take it before you submit the job."""
        return self._ended.setdefault(job_id, asyncio.Event())

    def announce(self, session: Session, *ended: UUID) -> None:
        """Has it told after the commit: jobs have changed, and these have ended or are gone."""
        session.info.setdefault(_ENDED, []).extend(ended)

    def _committed(self, session: Session) -> None:
        """In the database's thread, and not left to the caller, who may be gone by now."""
        if (ended := session.info.get(_ENDED)) is not None:
            self._loop.call_soon_threadsafe(self._tell, ended)

    def _tell(self, ended: list[UUID]) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        for job_id in ended:
            if (awaited := self._ended.get(job_id)) is not None:
                awaited.set()
