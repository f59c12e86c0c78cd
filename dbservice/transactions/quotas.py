"""How much may be begun in a day: by a user or a group, and by all users of a bot.

A day is the machine's, for a user the one of the zone that they have chosen. Who has had how much
is known by the HMAC of `dbservice.tombstones`, so that nobody who is forgotten begins their day
anew, and nobody else learns of them. A private chat has its user's id, so a share is a chat's.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete

from dbservice.errors import Reason, ServiceError
from dbservice.models import DayTotals, Generation, QuotaShare
from dbservice.store import Transaction
from dbservice.transactions import access, leases, settings
from dbservice.transitions import CANCELLED, FAILED, UNDELIVERABLE
from dbservice.validation.rules import InChat
from protos.lookalike.db.v1 import db_pb2 as db

REFUSALS: Final = frozenset(
    {
        Reason.QUOTA_OF_USER,
        Reason.QUOTA_OF_BOT,
        Reason.TOO_MANY_UNFINISHED,
        Reason.TOO_MUCH_KEPT,
        Reason.STORAGE_FULL,
        Reason.DISK_FULL,
    }
)
"""For these nothing was begun, and somebody was told so."""

_SHORTEST_DAY: Final = timedelta(hours=22)
"""From the end of one share to that of the next, at least; no zone has a shorter day."""

_LONGEST_DAY: Final = _SHORTEST_DAY + timedelta(hours=26)
"""A share that ends later was begun under a wrong clock."""

_REMEMBERED: Final = timedelta(days=1)
"""For how long a share that has ended says when the next one may."""


@dataclass(frozen=True)
class Quotas:
    """What may be begun in a day; None: no bound.

    Attributes:
        user_pictures: by a user, or in a group.
        bot_pictures: by all users of a bot.
        bot_captions: how many captions may be asked for that cost.
        who: names a user or a group, of a bot.
    """

    user_pictures: int | None
    bot_pictures: int | None
    bot_captions: int | None
    who: Callable[[int, int], str]


@dataclass(frozen=True)
class Left:
    """What of the day is left to somebody.

    Attributes:
        pictures: how many.
        goes_on_at: when there are more, as the contract has it; empty: there never are.
        reason: whose quota is used up first.
    """

    pictures: int
    goes_on_at: str
    reason: Reason


class _Asked(InChat, Protocol):
    """A request of somebody who may be exempt."""

    exempt: bool


def begin(transaction: Transaction, row: Generation, bounds: Quotas, *, exempt: bool) -> None:
    """Counts the pictures that a generation is about to make; it makes fewer if fewer are left.

    Raises:
        ServiceError: QUOTA_OF_USER or QUOTA_OF_BOT, where none is left.
    """
    row.in_share = False
    if not exempt and access.owner_of(transaction, row.bot_id) != row.user_id:
        left = _left(transaction, row.bot_id, row.chat_id, bounds)
        if left is not None and left.pictures <= 0:
            message = "As many pictures were begun today as may be."
            raise ServiceError(left.reason, message, goes_on_at=left.goes_on_at)
        if left is not None:
            row.pictures = min(row.pictures, left.pictures)
        if bounds.user_pictures is not None:
            share = _share(transaction, row.bot_id, row.chat_id, bounds)
            transaction.session.merge(share).pictures += row.pictures
            row.in_share = True
    totals(transaction, row.bot_id).pictures += row.pictures


def give_back(transaction: Transaction, row: Generation, bounds: Quotas) -> None:
    """Gives what a generation has not painted back to the day on which it was begun."""
    unpainted = _unpainted(row)
    if not unpainted:
        return
    session = transaction.session
    if row.in_share:  # first, as where it is begun
        who = bounds.who(row.bot_id, row.chat_id)
        share = session.get(QuotaShare, who, with_for_update=True)
        if share is not None and share.begins_at <= row.created_at < share.ends_at:
            share.pictures = max(0, share.pictures - unpainted)
    that_day = (row.bot_id, _date(row.created_at))
    day = session.get(DayTotals, that_day, with_for_update=True)
    if day is not None:
        day.pictures = max(0, day.pictures - unpainted)


def left(transaction: Transaction, request: _Asked, bounds: Quotas) -> Left | None:
    """What is left to a user in a chat; None: no bound."""
    if request.exempt or access.owner_of(transaction, request.bot_id) == request.user_id:
        return None
    return _left(transaction, request.bot_id, request.chat_id, bounds)


def count_caption(
    transaction: Transaction, request: db.CountCaptionRequest, bounds: Quotas
) -> db.CountCaptionResponse:
    """Counts a caption that is about to be asked for.

    Raises:
        ServiceError: as `leases.held`, and QUOTA_OF_CAPTIONS.
    """
    row = leases.held(transaction, request.generation_id, request.fence)
    today, most = totals(transaction, row.bot_id), bounds.bot_captions
    exempt = request.exempt or access.owner_of(transaction, row.bot_id) == row.user_id
    if not exempt and most is not None and today.captions >= most:
        message = "As many captions were asked for today as may be."
        zone = _zone(transaction, row.bot_id, row.chat_id)
        goes_on_at = _told(_midnight(transaction.now, None), zone) if most else ""
        raise ServiceError(Reason.QUOTA_OF_CAPTIONS, message, goes_on_at=goes_on_at)
    today.captions += 1
    return db.CountCaptionResponse()


def count_refusal(transaction: Transaction, bot_id: int) -> None:
    """Counts that something was not begun."""
    totals(transaction, bot_id).refusals += 1


def totals(transaction: Transaction, bot_id: int) -> DayTotals:
    """The row of what a bot does today."""
    session, day = transaction.session, _date(transaction.now)
    row = session.get(DayTotals, (bot_id, day), with_for_update=True)
    if row is None:
        counts = {"photos": 0, "pictures": 0, "refusals": 0, "captions": 0}
        row = DayTotals(bot_id=bot_id, day=day, **counts)
        session.add(row)
        session.flush()
    return row


def drop_ended(transaction: Transaction) -> None:
    """Deletes the shares whose day is long over."""
    ended = delete(QuotaShare).where(QuotaShare.ends_at <= transaction.now - _REMEMBERED)
    transaction.session.execute(ended)


def _left(transaction: Transaction, bot_id: int, chat_id: int, bounds: Quotas) -> Left | None:
    """Of what is bounded, that of which least is left."""
    zone, found = _zone(transaction, bot_id, chat_id), list[Left]()
    if (most := bounds.user_pictures) is not None:
        share = _share(transaction, bot_id, chat_id, bounds)
        goes_on_at = _told(share.ends_at, zone) if most else ""
        found.append(Left(max(0, most - share.pictures), goes_on_at, Reason.QUOTA_OF_USER))
    if (most := bounds.bot_pictures) is not None:
        today = (bot_id, _date(transaction.now))
        day = transaction.session.get(DayTotals, today, with_for_update=True)
        had = 0 if day is None else day.pictures
        goes_on_at = _told(_midnight(transaction.now, None), zone) if most else ""
        found.append(Left(max(0, most - had), goes_on_at, Reason.QUOTA_OF_BOT))
    return min(found, key=lambda left: left.pictures, default=None)


def _share(transaction: Transaction, bot_id: int, chat_id: int, bounds: Quotas) -> QuotaShare:
    """The chat's share of the day that goes on, or of one that would begin now, with no row yet.

    Whoever chooses one zone after the other, each with its midnight an hour later, has no day of an
    hour: it ends with the first midnight that is a day after the last one.
    """
    who, now = bounds.who(bot_id, chat_id), transaction.now
    last = transaction.session.get(QuotaShare, who, with_for_update=True)
    if last is not None and timedelta() < last.ends_at - now <= _LONGEST_DAY:
        return last
    earliest = now
    if last is not None and timedelta() <= now - last.ends_at < _REMEMBERED:
        earliest = max(now, last.ends_at + _SHORTEST_DAY - timedelta.resolution)
    ends_at = _midnight(earliest, _zone(transaction, bot_id, chat_id))
    return QuotaShare(who=who, pictures=0, begins_at=now, ends_at=ends_at)


def _unpainted(row: Generation) -> int:
    """How many pictures failed, or were never begun.

    What was cancelled while it was painted has cost as much as a picture, and so has what the
    safety filter refused.
    """
    members = row.members if row.pictures > 1 else ()
    failed = sum(each.state == FAILED and each.finished_at is None for each in members)
    is_spared = row.finished_at is None and (
        row.state == FAILED or (row.state in (CANCELLED, UNDELIVERABLE) and row.painting_at is None)
    )
    return failed + (row.pictures - len(members) if is_spared else 0)


def _zone(transaction: Transaction, bot_id: int, chat_id: int) -> ZoneInfo | None:
    """The zone that somebody has chosen; None: the machine's."""
    name = settings.chosen(transaction, bot_id, chat_id).time_zone
    with suppress(OSError, ValueError, ZoneInfoNotFoundError):  # it may be gone from this machine
        return ZoneInfo(name) if name else None
    return None


def _midnight(at: datetime, zone: ZoneInfo | None) -> datetime:
    """When the day ends."""
    midnight = datetime.combine(at.astimezone(zone).date() + timedelta(days=1), time())
    there = midnight.astimezone() if zone is None else midnight.replace(tzinfo=zone)
    return there.astimezone(UTC)


def _told(at: datetime, zone: ZoneInfo | None) -> str:
    return at.astimezone(zone).isoformat(timespec="minutes")


def _date(at: datetime) -> date:
    """The day of the machine's."""
    return at.astimezone().date()
