"""The queue's clocks: one for the order of things, one for their age."""

import time
from collections.abc import Callable

from sqlalchemy import update
from sqlalchemy.orm import Session

from generator.jobs.tables import Base, LogicalClock
from lookalike.database import Backend

# Of the table, not of the class: every transaction runs it, and the ORM would double its time.
_TABLE = Base.metadata.tables[LogicalClock.__tablename__]
_ADVANCE = update(_TABLE).values(now=_TABLE.c.now + 1).returning(_TABLE.c.now)


Clock = Callable[[Session], float]
"""Tells a transaction the time, in seconds since 1970."""


def clock_of(backend: Backend) -> Clock:
    """The clock for the leases and ages in a database.

    Where several machines use it, it is the database's own, as theirs may differ. Where one process
    does, it is one that goes on evenly, whatever the machine's is set to: leases and ages are
    differences, and set back, that clock would keep a lease for longer; set forward, it would make
    everything old.
    """
    if backend.SHARED:
        return lambda session: backend.now(session).timestamp()
    began = time.time() - time.monotonic()
    return lambda _session: began + time.monotonic()


def advance(session: Session) -> int:
    """Advances the logical clock and returns the new time, which is unique.

    Whatever changes what jobs there are or where one stands does this first, before it reads: the
    clock's row is then its transaction's alone until that ends, on any database. So all of them
    come one after another, whichever process makes them, and none finds two of these rows locked by
    two others in turn. And whoever looks at the clock sees that something has changed.
    """
    now: int = session.execute(_ADVANCE).scalar_one()
    return now
