"""What goes to everybody: who gets it, how far it is, and to whom it may just have been sent.

Recipients are no table of their own: they are the private chats of which there is a generation, and
whoever was invited, in the order of their ids. So whoever is forgotten is none, and to find the
next one costs the same however many there are (docs/decisions/0066-broadcasts.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select

from dbservice.errors import Reason, ServiceError, not_found
from dbservice.models import Broadcast, Generation, InFlight, Member, Photo, UserSettings
from dbservice.store import Transaction
from dbservice.transactions import access, queries, shares
from dbservice.transactions import settings as user_settings
from protos.lookalike.db.v1 import db_pb2 as db

_RUNNING: Final = db.BROADCAST_STATE_RUNNING
_MOST_CLOSED: Final = 100
"""Of a bot, that are remembered: a press of an older one's button would begin it anew."""

_BATCH: Final = 200
"""People whose turn comes in one transaction, which holds up all others."""


@dataclass(frozen=True)
class Counted:
    """What one transaction counted.

    Attributes:
        count: how many get it.
        last: the user to go on after; None: all are counted.
    """

    count: int
    last: int | None


def admins(transaction: Transaction, request: db.ListAdminsRequest) -> db.ListAdminsResponse:
    """The owner, and those who are named, each in their language."""
    owner = access.owner_of(transaction, request.bot_id)
    users = [*([owner] if owner is not None else []), *request.user_ids]
    return db.ListAdminsResponse(
        admins=[_recipient(transaction, request.bot_id, user) for user in dict.fromkeys(users)]
    )


def count(transaction: Transaction, request: db.CountRecipientsRequest, after: int) -> Counted:
    """How many of the next people get it; `after` is a user to go on after, 0 at first."""
    wanted, last = 0, after
    for _ in range(_BATCH):
        user = _next(transaction, request.bot_id, last)
        if user is None:
            return Counted(wanted, None)
        last = user
        if user != request.user_id and _wants(transaction, request.bot_id, user, request.audience):
            wanted += 1
    return Counted(wanted, last)


def begin(transaction: Transaction, request: db.BeginBroadcastRequest) -> db.BeginBroadcastResponse:
    """Begins it, unless it is known or another one is open."""
    session, bot_id = transaction.session, request.bot_id
    row = session.get(Broadcast, (bot_id, request.message_id))
    if row is None:
        if _open(transaction, bot_id) is not None:
            return db.BeginBroadcastResponse()
        _forget_old(transaction, bot_id)
        session.execute(delete(InFlight).filter_by(bot_id=bot_id))
        row = Broadcast(
            bot_id=bot_id,
            message_id=request.message_id,
            user_id=request.user_id,
            source_message_id=request.source_message_id,
            language_code=request.language_code,
            state=_RUNNING,
            total=request.total,
            after=request.message_id,
            begun_at=transaction.now,
        )
        session.add(row)
        session.flush()
    return db.BeginBroadcastResponse(broadcast=_message(transaction, row))


def get(transaction: Transaction, request: db.GetBroadcastRequest) -> db.GetBroadcastResponse:
    """The one that is open, for the process that carries it out."""
    row = _open(transaction, request.bot_id)
    if row is None or not shares.has(
        shares.of(transaction, request.bot_id, request.holder), row.user_id
    ):
        return db.GetBroadcastResponse()
    return db.GetBroadcastResponse(broadcast=_message(transaction, row))


def advance(
    transaction: Transaction, request: db.AdvanceBroadcastRequest
) -> db.AdvanceBroadcastResponse:
    """Records what came of a step, and notes who is next.

    Raises:
        ServiceError: NOT_FOUND, or LEASE_LOST: another process has gone on with it.
    """
    row = _get(transaction, request.bot_id, request.message_id)
    if request.step != row.step:
        if request.step != row.step - 1:
            raise ServiceError(Reason.LEASE_LOST, "Another process goes on with the broadcast.")
        return db.AdvanceBroadcastResponse(broadcast=_message(transaction, row))
    row.step += 1
    row.sent += request.sent
    row.blocked += request.blocked
    row.failed += request.failed
    row.after = max(row.after, request.after)
    noted = delete(InFlight).filter_by(bot_id=row.bot_id).returning(InFlight.user_id)
    # Whoever was forgotten meanwhile is noted no more, and not again.
    unsent = {*transaction.session.scalars(noted)}.intersection(request.unsent)
    if request.source_gone and row.state == _RUNNING:
        row.state = db.BROADCAST_STATE_GONE
    if row.state == _RUNNING:
        _note_next(transaction, row, request, sorted(unsent))
    transaction.session.flush()
    return db.AdvanceBroadcastResponse(broadcast=_message(transaction, row))


def cancel(
    transaction: Transaction, request: db.CancelBroadcastRequest
) -> db.CancelBroadcastResponse:
    """Cancels it; one that nobody has begun never will be."""
    key = (request.bot_id, request.message_id)
    row = transaction.session.get(Broadcast, key, with_for_update=True)
    if row is None:
        _forget_old(transaction, request.bot_id)
        row = Broadcast(
            bot_id=request.bot_id,
            message_id=request.message_id,
            user_id=request.user_id,
            state=db.BROADCAST_STATE_CANCELLED,
            begun_at=transaction.now,
            closed_at=transaction.now,
        )
        transaction.session.add(row)
    elif row.state == _RUNNING:
        row.state = db.BROADCAST_STATE_CANCELLED
    transaction.session.flush()
    return db.CancelBroadcastResponse(broadcast=_message(transaction, row))


def close(transaction: Transaction, request: db.CloseBroadcastRequest) -> db.CloseBroadcastResponse:
    """Whoever has asked for it knows how it ended; again changes nothing.

    Raises:
        ServiceError: NOT_FOUND, or NOT_CLOSED, while it runs.
    """
    row = _get(transaction, request.bot_id, request.message_id)
    if row.state == _RUNNING:
        raise ServiceError(Reason.NOT_CLOSED, "The broadcast is still being sent.")
    if row.closed_at is None:
        row.closed_at, row.last_user_id = transaction.now, 0
        transaction.session.execute(delete(InFlight).filter_by(bot_id=row.bot_id))
    return db.CloseBroadcastResponse()


def forget(transaction: Transaction, bot_id: int, user_id: int) -> None:
    """Deletes what names a user; a broadcast of theirs ends where it is."""
    row = _open(transaction, bot_id)
    if row is not None and row.user_id == user_id:
        transaction.session.execute(delete(InFlight).filter_by(bot_id=bot_id))
    for table in (Broadcast, InFlight):
        theirs = delete(table).filter_by(bot_id=bot_id, user_id=user_id)
        transaction.session.execute(theirs)


def _note_next(
    transaction: Transaction,
    row: Broadcast,
    request: db.AdvanceBroadcastRequest,
    again: list[int],
) -> None:
    """Notes up to as many as asked for, first those whose turn comes again."""
    noted, is_over = 0, False
    for _ in range(_BATCH):
        if again:
            user = again.pop(0)
        elif noted >= request.limit:
            return
        elif (after := _next(transaction, row.bot_id, row.last_user_id)) is not None:
            row.last_user_id = user = after
        else:
            is_over = True
            break
        if user == row.user_id:
            continue
        if _wants(transaction, row.bot_id, user, request.audience):
            transaction.session.add(InFlight(bot_id=row.bot_id, user_id=user))
            noted += 1
        else:
            row.left_out += 1
    if is_over and not noted:
        row.state = db.BROADCAST_STATE_DONE


def _next(transaction: Transaction, bot_id: int, after: int) -> int | None:
    """The next one who uses the bot in a private chat, which has its user's id."""
    session = transaction.session
    chats = select(func.min(Generation.chat_id)).where(
        Generation.bot_id == bot_id, Generation.chat_id > after
    )
    members = select(func.min(Member.user_id)).where(
        Member.bot_id == bot_id, Member.user_id > after
    )
    found = (session.scalar(chats), session.scalar(members))
    return min((each for each in found if each is not None), default=None)


def _wants(transaction: Transaction, bot_id: int, user_id: int, audience: db.Audience) -> bool:
    """Whether somebody is to get it now."""
    session = transaction.session
    if access.is_banned(transaction, bot_id, user_id):
        return False
    if queries.is_being_forgotten(session, bot_id, user_id):
        return False
    chosen = session.get(UserSettings, (bot_id, user_id))
    if chosen is not None and not chosen.news:
        return False
    if audience.everyone or user_id in audience.user_ids:
        return True
    if audience.members and session.get(Member, (bot_id, user_id)) is not None:
        return True
    return access.owner_of(transaction, bot_id) == user_id


def _recipient(transaction: Transaction, bot_id: int, user_id: int) -> db.Recipient:
    language = user_settings.chosen(transaction, bot_id, user_id).language
    if not language and not queries.is_being_forgotten(transaction.session, bot_id, user_id):
        newest = (
            select(Photo.language_code)
            .join(Generation, Generation.photo_id == Photo.id)
            .where(
                Generation.bot_id == bot_id,
                Generation.chat_id == user_id,
                Generation.user_id == user_id,
            )
            .order_by(Generation.number.desc())
            .limit(1)
        )
        language = transaction.session.scalar(newest) or ""
    return db.Recipient(user_id=user_id, language_code=language)


def _open(transaction: Transaction, bot_id: int) -> Broadcast | None:
    unclosed = select(Broadcast).where(Broadcast.bot_id == bot_id, Broadcast.closed_at.is_(None))
    return transaction.session.scalar(unclosed)


def _get(transaction: Transaction, bot_id: int, message_id: int) -> Broadcast:
    row = transaction.session.get(Broadcast, (bot_id, message_id), with_for_update=True)
    if row is None:
        raise not_found("broadcast")
    return row


def _forget_old(transaction: Transaction, bot_id: int) -> None:
    closed = select(Broadcast.message_id).where(
        Broadcast.bot_id == bot_id, Broadcast.closed_at.is_not(None)
    )
    newest = closed.order_by(Broadcast.message_id.desc())
    oldest = transaction.session.scalar(newest.offset(_MOST_CLOSED - 1).limit(1))
    if oldest is not None:
        spent = delete(Broadcast).where(
            Broadcast.bot_id == bot_id,
            Broadcast.closed_at.is_not(None),
            Broadcast.message_id <= oldest,
        )
        transaction.session.execute(spent)


def _message(transaction: Transaction, row: Broadcast) -> db.Broadcast:
    noted = select(InFlight.user_id).where(InFlight.bot_id == row.bot_id)
    users: Iterable[int] = ()
    if row.closed_at is None:
        users = transaction.session.scalars(noted.order_by(InFlight.user_id))
    return db.Broadcast(
        user_id=row.user_id,
        message_id=row.message_id,
        source_message_id=row.source_message_id,
        language_code=row.language_code,
        state=row.state,
        total=row.total,
        sent=row.sent,
        blocked=row.blocked,
        failed=row.failed,
        left_out=row.left_out,
        step=row.step,
        in_flight=[_recipient(transaction, row.bot_id, user) for user in users],
        after=row.after,
    )
