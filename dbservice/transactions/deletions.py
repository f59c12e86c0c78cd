"""Bytes that are to go: noted with what deletes their rows, done once they are gone."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select

from dbservice.models import Generation, PendingDeletion, Photo
from dbservice.store import Transaction


def note(transaction: Transaction, keys: Sequence[str]) -> None:
    """Notes that the bytes of these keys are to be deleted."""
    if keys:
        transaction.session.execute(insert(PendingDeletion), [{"key": key} for key in keys])


def pending(transaction: Transaction) -> list[str]:
    """The keys of all bytes that are still to be deleted."""
    return [*transaction.session.scalars(select(PendingDeletion.key))]


def done(transaction: Transaction, keys: Sequence[str]) -> None:
    """Notes that the bytes of these keys are gone."""
    statement = delete(PendingDeletion).where(PendingDeletion.key == bindparam("gone"))
    transaction.session.connection().execute(statement, [{"gone": key} for key in keys])


def named(transaction: Transaction, keys: Sequence[str]) -> set[str]:
    """Those of the keys that a row names."""
    session = transaction.session
    return {
        key
        for row in (Photo, Generation)
        for key in session.scalars(select(row.image_key).where(row.image_key.in_(keys)))
        if key is not None
    }
