"""Rows that go with their bytes: the bytes are noted with what deletes their rows, and follow."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, delete, exists, false, insert, select

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


def delete_photos(
    transaction: Transaction, ids: Collection[str], *, spare_starred: bool = False
) -> Deleted:
    """Deletes photos with their generations, and notes their bytes.

    Args:
        transaction: deletes them.
        ids: the photos'.
        spare_starred: whether generations with a star stay, and photos that have one.
    """
    session = transaction.session
    spared = Generation.starred if spare_starred else false()
    of_these = Generation.photo_id.in_(ids), ~spared
    generations = _note_bytes(transaction, Generation, *of_these)
    session.execute(delete(Generation).where(*of_these))
    bare = Photo.id.in_(ids), ~exists().where(Generation.photo_id == Photo.id)
    photos = _note_bytes(transaction, Photo, *bare)
    session.execute(delete(Photo).where(*bare))
    return Deleted(photos, generations)


def delete_picture(transaction: Transaction, row: Generation) -> None:
    """Deletes what a picture shows and says, notes its bytes, and leaves its row."""
    _note_bytes(transaction, Generation, Generation.number == row.number)
    row.image_key = row.image_media_type = row.image_sha256 = None
    row.image_width = row.image_height = row.image_size = None
    row.picture_seed = row.picture_model = row.picture_file_id = None
    row.prompt = row.negative_prompt = row.words = ""
    row.starred = False
    row.deleted_at = transaction.now


def _note_bytes(
    transaction: Transaction, rows: type[Photo | Generation], *which: ColumnElement[bool]
) -> int:
    """Notes that the bytes of rows are to be deleted, and counts the rows."""
    columns = (rows.image_key, rows.image_size, rows.bot_id, rows.user_id)
    # Locked, or two that delete the same would count it twice.
    found = transaction.session.execute(select(*columns).where(*which).with_for_update()).all()
    keys, sizes = [], Counter[tuple[int, int]]()
    for key, size, bot_id, user_id in found:
        if key is not None:
            keys.append(key)
            sizes[bot_id, user_id] += size or 0
    note(transaction, keys)
    for (bot_id, user_id), size in sizes.items():
        limits.count(transaction, bot_id, user_id, -size)
    return len(found)


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
