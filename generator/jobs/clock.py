"""The logical clock, which orders what happens to jobs, whatever the wall clock does."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from generator.jobs.tables import LogicalClock


def advance(session: Session) -> int:
    """Advances the clock and returns the new time, which is unique."""
    advanced = update(LogicalClock).values(now=LogicalClock.now + 1).returning(LogicalClock.now)
    return session.execute(advanced).scalar_one()
