"""Tombstones of a database that several homes share: the key they have in common, and the burial.

`dbservice.burying` does so in a SQLite file of any earlier version.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, select, true

from dbservice.models import (
    Broadcast,
    Cancellation,
    Export,
    ForgottenKey,
    InFlight,
    Member,
    Photo,
    Tombstone,
    UserSettings,
)
from dbservice.store import Transaction
from dbservice.tombstones import Tombstones
from dbservice.transactions import deletions

_ONE: Final = 1  # the id of the only row

_Table = type[Photo | Member | UserSettings | Broadcast | InFlight | Export | Cancellation]

_OF_USERS: Final[tuple[_Table, ...]] = (
    Photo,
    Member,
    UserSettings,
    Broadcast,
    InFlight,
    Export,
    Cancellation,
)


def agree(transaction: Transaction, fingerprint: str) -> bool:
    """Whether this key names the forgotten; the first one that is asked about does."""
    transaction.take_turn("tombstones")
    row = transaction.session.get(ForgottenKey, _ONE)
    if row is None:
        row = ForgottenKey(id=_ONE, fingerprint=fingerprint)
        transaction.session.add(row)
    return row.fingerprint == fingerprint


def bury(transaction: Transaction, tombstones: Tombstones) -> Mapping[str, datetime]:
    """Forgets what is older than the home's tombstones that the database lacks.

    Returns:
        All that the database has from now on.
    """
    session = transaction.session
    transaction.take_turn("tombstones")
    rows = session.execute(select(Tombstone.who, Tombstone.asked_at))
    there = {row.who: row.asked_at for row in rows}
    missing = {
        who: at for who, at in tombstones.known.items() if who not in there or there[who] < at
    }
    if missing:
        for table in _OF_USERS:
            for bot_id, user_id, at in _named(transaction, table, missing, tombstones):
                _forget(transaction, table, bot_id, user_id, at)
        for who, at in missing.items():
            session.merge(Tombstone(who=who, asked_at=at, question=None))
    return there | missing


def _named(
    transaction: Transaction,
    table: _Table,
    missing: Mapping[str, datetime],
    tombstones: Tombstones,
) -> Iterator[tuple[int, int, datetime]]:
    users = transaction.session.execute(select(table.bot_id, table.user_id).distinct())
    for bot_id, user_id in users.all():
        at = missing.get(tombstones.who(bot_id, user_id))
        if at is not None:
            yield bot_id, user_id, at


def _forget(
    transaction: Transaction, table: _Table, bot_id: int, user_id: int, at: datetime
) -> None:
    theirs = (table.bot_id == bot_id, table.user_id == user_id, _until(table, at))
    if table is Photo:
        ids = transaction.session.scalars(select(Photo.id).where(*theirs)).all()
        deletions.delete_photos(transaction, ids)
    else:
        transaction.session.execute(delete(table).where(*theirs))


def _until(table: _Table, at: datetime) -> ColumnElement[bool]:
    since = {
        Photo: Photo.received_at,
        Member: Member.joined_at,
        Broadcast: Broadcast.begun_at,
        Export: Export.asked_at,
        Cancellation: Cancellation.cancelled_at,
    }.get(table)
    return true() if since is None else since <= at  # of what somebody chose nobody knows
