"""Rows that go with their bytes: the bytes are noted with what deletes their rows, and follow."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, delete, insert, select

from dbservice.models import Generation, PendingDeletion, Photo
from dbservice.store import Transaction
from dbservice.transactions import limits


@dataclass(frozen=True)
class Deleted:
    """How much was deleted.

    Attributes:
        photos: how many.
        generations: how many.
    """

    photos: int
    generations: int


def delete_photos(transaction: Transaction, *which: ColumnElement[bool]) -> Deleted:
    """Deletes photos, by conditions on them, with their generations, and notes their bytes."""
    session = transaction.session
    of_these = Generation.photo_id.in_(select(Photo.id).where(*which))
    found = []
    for row, condition in ((Generation, (of_these,)), (Photo, which)):
        columns = (row.image_key, row.image_size, row.bot_id, row.user_id)
        found.append(session.execute(select(*columns).where(*condition)).all())
    generations, photos = found
    keys, sizes = [], Counter[tuple[int, int]]()
    for key, size, *whose in (*generations, *photos):
        if key is not None:
            keys.append(key)
            sizes[whose[0], whose[1]] += size or 0
    if keys:
        session.execute(insert(PendingDeletion), [{"key": key} for key in keys])
    for (bot_id, user_id), size in sizes.items():
        limits.count(transaction, bot_id, user_id, -size)
    session.execute(delete(Generation).where(of_these))
    session.execute(delete(Photo).where(*which))
    return Deleted(len(photos), len(generations))


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
