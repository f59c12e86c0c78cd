"""How the processes that share an epoch share the chats: each has some, as long as it lives.

Chats are counted in shards, by their ids. Whoever has fewer shards than is fair takes free ones;
whoever has more gives up those where it has nothing under way. So no two work in one chat. Who has
not been heard of for as long as a lease lasts is dead, and its shards are free.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    cast,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from dbservice.errors import Reason, ServiceError
from dbservice.models import Bot, Broadcast, Epoch, Export, Forgetting, Generation
from dbservice.store import Transaction
from protos.lookalike.db.v1 import db_pb2 as db

LEASE: Final = timedelta(seconds=30)
"""How long a process may go without asking again."""

RENEW_BELOW: Final = LEASE * 2 / 3

_SHARDS: Final = 60  # as two to six processes share evenly
_ALL: Final = (1 << _SHARDS) - 1


@dataclass(frozen=True)
class Share:
    """What a process has of its bot's chats.

    Attributes:
        shards: where it may lease, a bit for each shard.
        bots: how many processes share the chats; 0: nobody shares.
        others: those of them that live, besides the process itself.
    """

    shards: int = _ALL
    bots: int = 0
    others: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Other:
    holder: str
    alive_until: datetime
    shards: int


def is_in(chat_id: InstrumentedAttribute[int], share: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a chat is in one of these shards."""
    shard = cast(func.abs(chat_id, type_=BigInteger) % _SHARDS, Integer)
    return share.bitwise_rshift(shard).bitwise_and(1) == 1


def has(shards: int, chat_id: int) -> bool:
    """The same as `is_in`."""
    return bool(shards >> abs(chat_id) % _SHARDS & 1)


def of(transaction: Transaction, bot_id: int, holder: str) -> int:
    """The shards in which a process carries out what goes on beside the leases."""
    if holder and (row := transaction.session.get(Bot, (bot_id, holder))) is not None:
        return row.shards
    epoch = transaction.session.get(Epoch, bot_id)
    is_shared = epoch is not None and bool(epoch.address)
    return 0 if holder and is_shared else _ALL


def count(transaction: Transaction, bot_id: int) -> int:
    """How many processes share a bot's chats, the dead ones among them."""
    rows = select(func.count()).select_from(Bot).where(Bot.bot_id == bot_id)
    return transaction.session.scalar(rows) or 0


def is_alive(transaction: Transaction, bot_id: int, holder: str) -> bool:
    """Whether a process has a share, and has been heard of."""
    row = transaction.session.get(Bot, (bot_id, holder))
    return row is not None and row.alive_until > transaction.now


def join(transaction: Transaction, request: db.BeginEpochRequest) -> None:
    """Has a process share the chats, of which it has none yet; again changes nothing."""
    session, now = transaction.session, transaction.now
    if request.before:
        _bury(transaction, request.bot_id, Bot.holder == request.before)
    if session.get(Bot, (request.bot_id, request.holder)) is None:
        session.add(
            Bot(
                bot_id=request.bot_id,
                holder=request.holder,
                alive_until=now + LEASE,
                waits_until=now,
                shards=0,
            )
        )


def dissolve(transaction: Transaction, bot_id: int) -> None:
    """Nobody shares the chats any more."""
    transaction.session.execute(delete(Bot).where(Bot.bot_id == bot_id))


def leave(transaction: Transaction, request: db.LeaseGenerationsRequest) -> None:
    """A process shares them no more, and its chats are free."""
    gone = delete(Bot).filter_by(bot_id=request.bot_id, holder=request.holder)
    transaction.session.execute(gone)


def confirm(transaction: Transaction, request: db.ConfirmEpochRequest) -> None:
    """Makes sure that nobody has taken a process's chats, nor does before it has lapsed anew.

    Raises:
        ServiceError: LAPSED.
    """
    row = transaction.session.get(Bot, (request.bot_id, request.holder))
    if row is None or row.alive_until <= transaction.now:
        _renew(transaction, _locked(transaction, request.bot_id, request.holder))


def take_part(transaction: Transaction, request: db.LeaseGenerationsRequest) -> Share:
    """A process lives on, takes what it lacks, and gives up what it has too much of.

    Raises:
        ServiceError: LAPSED.
    """
    bot_id, session = request.bot_id, transaction.session
    me = _locked(transaction, bot_id, request.holder)
    _renew(transaction, me)
    living, dead = _others(transaction, me)
    if dead or (_free(me, living) and me.shards.bit_count() < _fair(me, living)):
        transaction.take_turn("bots", bot_id)
        if dead:
            _bury(transaction, bot_id, Bot.alive_until <= transaction.now)
        living, _ = _others(transaction, me)
        lacking = max(0, _fair(me, living) - me.shards.bit_count())
        me.shards |= _lowest(_free(me, living), lacking)
    closing = _give_up(transaction, me, me.shards.bit_count() - _fair(me, living), request)
    session.flush()
    others = frozenset(each.holder for each in living)
    return Share(me.shards & ~closing, len(living) + 1, others)


def _give_up(
    transaction: Transaction, me: Bot, most: int, request: db.LeaseGenerationsRequest
) -> int:
    """Gives up shards where nothing is under way.

    Returns:
        Those that would be, were it not for work under way: there nothing new is begun, and what is
        under way has its leases kept.
    """
    if most <= 0:
        return 0
    busy = _shards_of(request.busy_chat_ids)
    staying = _carried(transaction, me.bot_id)
    given = _lowest(me.shards & ~busy & ~staying, most)
    closing = _lowest(me.shards & busy & ~staying, most - given.bit_count())
    me.shards &= ~given
    mine = (
        Generation.bot_id == me.bot_id,
        Generation.closed_at.is_(None),
        Generation.lease_holder == me.holder,
    )
    if given:
        freed = update(Generation).where(*mine, is_in(Generation.chat_id, _literal(given)))
        transaction.session.execute(freed.values(lease_holder=None, lease_expires_at=None))
    if closing:
        held = (
            *mine,
            is_in(Generation.chat_id, _literal(closing)),
            Generation.lease_expires_at > transaction.now,
            Generation.lease_expires_at < transaction.now + RENEW_BELOW,
        )
        kept = update(Generation).where(*held)
        transaction.session.execute(kept.values(lease_expires_at=transaction.now + LEASE))
    return closing


def _carried(transaction: Transaction, bot_id: int) -> int:
    """The shards of what is carried out beside the leases; it is seen through where it began."""
    session = transaction.session
    found: list[int] = []
    for chats in (
        select(Broadcast.user_id).where(Broadcast.bot_id == bot_id, Broadcast.closed_at.is_(None)),
        select(Export.user_id).where(Export.bot_id == bot_id, Export.ended_at.is_(None)),
        select(Forgetting.chat_id).where(Forgetting.bot_id == bot_id),
    ):
        found += session.scalars(chats)
    return _shards_of(found)


def _locked(transaction: Transaction, bot_id: int, holder: str) -> Bot:
    """The row of a process, which nobody deletes until the transaction's end.

    Raises:
        ServiceError: LAPSED.
    """
    key = (bot_id, holder)
    row = transaction.session.get(Bot, key, with_for_update=True, populate_existing=True)
    if row is None:
        message = "Others have taken over the chats of this process, which was silent for too long."
        raise ServiceError(Reason.LAPSED, message)
    return row


def _renew(transaction: Transaction, me: Bot) -> None:
    """The process lives on.

    If it was silent for too long, so may all have been, since the database was away: then it waits
    for the others to come back before it takes anybody for dead.
    """
    now = transaction.now
    if me.alive_until <= now:
        me.waits_until = now + LEASE
    if not RENEW_BELOW <= me.alive_until - now <= LEASE:
        me.alive_until = now + LEASE


def _others(transaction: Transaction, me: Bot) -> tuple[Sequence[_Other], Sequence[_Other]]:
    """Those who share the chats as well, as they are now, and those who are dead."""
    rows = select(Bot.holder, Bot.alive_until, Bot.shards).where(
        Bot.bot_id == me.bot_id, Bot.holder != me.holder
    )
    found = [_Other(*row) for row in transaction.session.execute(rows)]
    now = transaction.now
    living = [each for each in found if each.alive_until > now or me.waits_until > now]
    return living, [each for each in found if each not in living]


def _bury(transaction: Transaction, bot_id: int, which: ColumnElement[bool]) -> None:
    """Frees what dead processes held; one that is just coming back stays."""
    session = transaction.session
    these = select(Bot).where(Bot.bot_id == bot_id, which)
    for row in session.scalars(these.with_for_update(skip_locked=True)).all():
        session.execute(
            update(Generation)
            .where(
                Generation.bot_id == bot_id,
                Generation.closed_at.is_(None),
                Generation.lease_holder == row.holder,
            )
            .values(lease_expires_at=None)  # whose it was shows yet: it may have died of it
        )
        session.delete(row)
    session.flush()


def _fair(me: Bot, others: Sequence[_Other]) -> int:
    """How many shards are the process's part."""
    holders = sorted([me.holder, *(each.holder for each in others)])
    each, rest = divmod(_SHARDS, len(holders))
    return each + (holders.index(me.holder) < rest)


def _free(me: Bot, others: Sequence[_Other]) -> int:
    taken = me.shards
    for each in others:
        taken |= each.shards
    return _ALL & ~taken


def _lowest(shards: int, most: int) -> int:
    """The first few of these shards."""
    found = 0
    for _ in range(min(most, shards.bit_count())):
        found |= shards & -shards
        shards &= shards - 1
    return found


def _shards_of(chat_ids: Iterable[int]) -> int:
    found = 0
    for chat_id in chat_ids:
        found |= 1 << abs(chat_id) % _SHARDS
    return found


def _literal(shards: int) -> ColumnElement[int]:
    return literal(shards, BigInteger)
