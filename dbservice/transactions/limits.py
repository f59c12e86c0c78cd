"""What a user may begin, and all of them together, and how much is kept of them by now.

What is kept is counted where it changes, since to add it up would cost more with each year of
history: whatever names bytes in a row, or deletes such a row, calls `count` in its transaction.
"""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from dbservice.errors import Reason, ServiceError
from dbservice.models import Generation, KeptOfAll, KeptOfUser, Photo
from dbservice.store import Transaction
from dbservice.transactions import queries

_ALL = 1  # the id of the only row


@dataclass(frozen=True)
class Limits:
    """What may be begun, and is kept.

    Attributes:
        user_max_unfinished: how many pictures of one user may be unfinished.
        user_max_bytes: how much may be kept of one user; None: no bound.
        max_bytes: how much may be kept of all; None: no bound.
        disk_full: whether the disk takes nothing new.
        retention_days: for how long what is closed is kept; None: for ever.
    """

    user_max_unfinished: int
    user_max_bytes: int | None = None
    max_bytes: int | None = None
    disk_full: bool = False
    retention_days: int | None = None


def refusal(transaction: Transaction, photo: Photo, limits: Limits) -> ServiceError | None:
    """Why the photo's user may begin nothing more just now, if so.

    What is under way when a bound is reached is finished, and so may go beyond it.
    """
    if limits.disk_full:
        return ServiceError(Reason.DISK_FULL, "The disk is nearly full.")
    if limits.user_max_bytes is not None:
        kept = kept_of_user(transaction, photo.bot_id, photo.user_id)
        if kept >= limits.user_max_bytes:
            message = "As much is kept of the user as may be."
            return ServiceError(Reason.TOO_MUCH_KEPT, message)
    if limits.max_bytes is not None and kept_of_all(transaction) >= limits.max_bytes:
        return ServiceError(Reason.STORAGE_FULL, "As much is kept as may be.")
    if _room(transaction, photo, limits) <= 0:
        message = "The user has too many unfinished generations."
        return ServiceError(Reason.TOO_MANY_UNFINISHED, message)
    return None


def take_turn(transaction: Transaction, bot_id: int, user_id: int) -> None:
    """Has all that is begun by a user, or forgotten of one, come one after another."""
    transaction.take_turn("user", bot_id, user_id)


def refuse_forgotten(transaction: Transaction, bot_id: int, user_id: int) -> None:
    """Takes nothing new of a user who is being forgotten, until the transaction's end.

    Raises:
        ServiceError: BEING_FORGOTTEN.
    """
    take_turn(transaction, bot_id, user_id)
    if queries.is_being_forgotten(transaction.session, bot_id, user_id):
        raise ServiceError(Reason.BEING_FORGOTTEN, "The user is being forgotten.")


def kept_of_user(transaction: Transaction, bot_id: int, user_id: int) -> int:
    """How many bytes of photos and pictures are kept of a user."""
    theirs = select(KeptOfUser.bytes).where(
        KeptOfUser.bot_id == bot_id, KeptOfUser.user_id == user_id
    )
    return transaction.session.scalar(theirs) or 0


def kept_of_all(transaction: Transaction) -> int:
    """How many bytes of photos and pictures are kept."""
    return transaction.session.scalar(select(KeptOfAll.bytes).where(KeptOfAll.id == _ALL)) or 0


def count(transaction: Transaction, bot_id: int, user_id: int, change: int) -> None:
    """Counts bytes that a row names from now on, or, if negative, no longer names."""
    for row, whose in (
        (KeptOfUser, {"bot_id": bot_id, "user_id": user_id}),
        (KeptOfAll, {"id": _ALL}),
    ):
        changed = update(row).filter_by(**whose).values(bytes=row.bytes + change)
        if not transaction.session.execute(changed.returning(row.bytes)).all():
            transaction.session.execute(insert(row).values(**whose, bytes=change))
    if change < 0:  # a user of whom nothing is kept leaves no trace
        nothing = delete(KeptOfUser).filter_by(bot_id=bot_id, user_id=user_id, bytes=0)
        transaction.session.execute(nothing)


def several(transaction: Transaction, photo: Photo, limits: Limits, wanted: int) -> int:
    """How many pictures are made at once: as many as are wanted and have room, at least one.

    Args:
        transaction: reads what is unfinished.
        photo: what they are made of; for its user.
        limits: what may be begun.
        wanted: 0: one.
    """
    return max(1, min(wanted, _room(transaction, photo, limits)))


def _room(transaction: Transaction, photo: Photo, limits: Limits) -> int:
    """How many more pictures may be unfinished; an album, which comes whole, may exceed that."""
    most = limits.user_max_unfinished
    unclosed = select(Generation.pictures).where(
        Generation.bot_id == photo.bot_id,
        Generation.user_id == photo.user_id,
        Generation.closed_at.is_(None),
    )
    return most - sum(transaction.session.scalars(unclosed.limit(most)))
