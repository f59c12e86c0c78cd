"""What a bot has done: people, photos, pictures, and how long these take.

Counts are of `day_totals`, a row for each day. People and times are of the generations themselves,
and of few of them: those of a week, found by their index, and the newest ones.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Final

from sqlalchemy import Row, exists, func, select

from dbservice.models import DayTotals, Generation, KeptOfUser
from dbservice.store import Transaction
from dbservice.transactions import limits
from protos.lookalike.db.v1 import db_pb2 as db

_WEEK: Final = 7  # days
_CHART: Final = 30  # days
_NEWEST: Final = 1000
"""So many generations are looked at for how long they took."""

_Times = Sequence[Row[datetime, datetime | None, datetime | None, str | None]]


def get(transaction: Transaction, request: db.GetStatisticsRequest) -> db.GetStatisticsResponse:
    """All of it, but for how much room the disk has."""
    session, bot_id = transaction.session, request.bot_id
    of_bot = select(DayTotals).where(DayTotals.bot_id == bot_id).order_by(DayTotals.day)
    days = session.scalars(of_bot).all()
    today = transaction.now.astimezone().date()
    first_day = today - timedelta(days=_WEEK - 1)
    of_today, of_week = (
        select(func.count(Generation.user_id.distinct())).where(
            Generation.bot_id == bot_id, Generation.created_at >= _begin(day)
        )
        for day in (today, first_day)
    )
    times = session.execute(
        select(
            Generation.created_at,
            Generation.painting_at,
            Generation.finished_at,
            Generation.set_id,
        )
        .where(Generation.bot_id == bot_id)
        .order_by(Generation.created_at.desc())
        .limit(_NEWEST)
    ).all()
    unclosed = select(func.count(Generation.number)).where(
        Generation.bot_id == bot_id, Generation.closed_at.is_(None)
    )
    pictures = {each.day: each.pictures for each in days}
    chart = (today - timedelta(days=back) for back in range(_CHART - 1, -1, -1))
    return db.GetStatisticsResponse(
        today=_statistics(days, times, today, session.scalar(of_today)),
        week=_statistics(days, times, first_day, session.scalar(of_week)),
        all=_statistics(days, times, date.min, _people(transaction, bot_id, first_day)),
        days=(
            db.GetStatisticsResponse.Day(date=day.isoformat(), pictures=pictures.get(day, 0))
            for day in chart
        ),
        unfinished=session.scalar(unclosed) or 0,
        kept_bytes=limits.kept_of_all(transaction),
    )


def _statistics(
    days: Sequence[DayTotals], times: _Times, since: date, people: int | None
) -> db.Statistics:
    counted = [each for each in days if each.day >= since]
    ended = [
        (created, painting, finished)
        for created, painting, finished, set_id in times
        if finished is not None and set_id is None and created.astimezone().date() >= since
    ]
    waiting = [(painting or finished) - created for created, painting, finished in ended]
    painting = [finished - painting for _, painting, finished in ended if painting is not None]
    return db.Statistics(
        people=people,
        photos=sum(each.photos for each in counted),
        pictures=sum(each.pictures for each in counted),
        refusals=sum(each.refusals for each in counted),
        captions=sum(each.captions for each in counted),
        waiting_seconds=_median(waiting),
        painting_seconds=_median(painting),
    )


def _median(durations: Sequence[timedelta]) -> float | None:
    """In seconds; a clock that was set back makes none of them negative."""
    seconds = [max(0.0, each.total_seconds()) for each in durations]
    return median(seconds) if seconds else None


def _people(transaction: Transaction, bot_id: int, since: date) -> int:
    """Of whom anything is kept, and of whom anything is new that is not stored yet."""
    kept = select(func.count(KeptOfUser.user_id)).where(KeptOfUser.bot_id == bot_id)
    is_kept = exists().where(
        KeptOfUser.bot_id == Generation.bot_id, KeptOfUser.user_id == Generation.user_id
    )
    recent = select(func.count(Generation.user_id.distinct())).where(
        Generation.bot_id == bot_id, Generation.created_at >= _begin(since), ~is_kept
    )
    session = transaction.session
    return (session.scalar(kept) or 0) + (session.scalar(recent) or 0)


def _begin(day: date) -> datetime:
    """Of a day of the machine's."""
    return datetime.combine(day, time()).astimezone()
