"""What is removed because of its age, and whether the clock that says so is to be believed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import or_, select

from dbservice.models import Generation, WallClock
from dbservice.store import Transaction
from dbservice.transactions import deletions

_BATCH = 100  # generations in a transaction, which holds up all others

_DOUBT = timedelta(days=1)
"""So long a clock that jumped must go on without another jump before it is believed."""

_JUMP = timedelta(minutes=5)
"""By less it is corrected all the time."""

_PAUSE = timedelta(days=2)
"""The longest time without a service after which the clock is believed at once."""


@dataclass(frozen=True)
class Look:
    """A look at the clock.

    Attributes:
        at: what it said.
        certain: whether it is to be believed.
    """

    at: datetime
    certain: bool


def look(transaction: Transaction, last: Look | None, elapsed: timedelta) -> Look:
    """Whether the time is certain enough to delete by it; to be asked regularly.

    A clock that jumped, or nobody knows how far since no service ran, is doubted for a day in
    which a service runs. What it says is kept, so that a restart ends no doubt.

    Args:
        transaction: its time is the clock's.
        last: of this process; None: it has not looked so far.
        elapsed: since then, by a clock that cannot be set.
    """
    now = transaction.now
    clock = transaction.session.get(WallClock, 1, with_for_update=True)
    if clock is None:
        clock = WallClock(id=1, seen_at=now, doubt_seconds=_DOUBT.total_seconds())
        transaction.session.add(clock)
        return Look(now, certain=False)
    passed = now - clock.seen_at
    if last is None:
        jumped = not -_JUMP <= passed <= _PAUSE
    else:
        jumped = abs(now - last.at - elapsed) > _JUMP
        # Others may have looked since, who have counted the time until then.
        doubted = min(elapsed, max(passed, timedelta()))
        clock.doubt_seconds = max(0.0, clock.doubt_seconds - doubted.total_seconds())
    if jumped:
        clock.doubt_seconds = _DOUBT.total_seconds()
    clock.seen_at = now
    return Look(now, certain=clock.doubt_seconds == 0)


@dataclass(frozen=True)
class Removed:
    """What one transaction deleted.

    Attributes:
        photos: how many.
        generations: how many.
        last: the number of the generation to go on after; None: all are done.
    """

    photos: int
    generations: int
    last: int | None


def remove(transaction: Transaction, keep: timedelta, after: int) -> Removed:
    """Deletes photos whose generations were all closed longer ago, and notes their bytes.

    What has a star stays, with its photo.

    It goes through the generations in their order, as far as they are that old: one that seems
    older than what came before it was recorded under a wrong clock.

    Args:
        transaction: one of several, each of which deletes little.
        keep: for how long what is closed is kept.
        after: the number of the generation to go on after; 0 at first.
    """
    session, before = transaction.session, transaction.now - keep
    rows = session.execute(
        select(Generation.number, Generation.photo_id, Generation.created_at)
        .where(Generation.number > after)
        .order_by(Generation.number)
        .limit(_BATCH)
    ).all()
    old = [*takewhile(lambda row: row.created_at < before, rows)]
    candidates = {row.photo_id for row in old}
    recent = select(Generation.photo_id).where(
        Generation.photo_id.in_(candidates),
        or_(Generation.closed_at.is_(None), Generation.closed_at >= before),
    )
    gone = candidates.difference(session.scalars(recent))
    deleted = deletions.delete_photos(transaction, gone, spare_starred=True)
    last = old[-1].number if len(old) == _BATCH else None
    return Removed(deleted.photos, deleted.generations, last)
