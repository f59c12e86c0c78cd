"""`python -m dbservice.backups.move`: what `lookalike move` runs."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Connection, select

from dbservice.backups.places import empty_place, held
from dbservice.backups.stopping import unless_stopped
from dbservice.backups.transfer import Carried, Present, carry, named, told
from dbservice.models import ForgottenKey
from dbservice.settings import DbserviceSettings
from dbservice.tombstones import Tombstones
from lookalike.checks import size
from lookalike.errors import StartError
from lookalike.lifecycle import run
from lookalike.storage import open_blobs
from lookalike.tokens import has_forgotten_key


async def move(settings: DbserviceSettings) -> str:
    """Copies rows, bytes or both to where the settings say, and compares what has come.

    Nobody serves either database meanwhile. Bytes come first; the rows come in one transaction,
    so there are all of them or none. What is copied is left as it was.

    Returns:
        What was copied, and which settings go on with it.

    Raises:
        StartError: the settings name no other place, one of them is in use or not empty, or
            something fails; the same command goes on then.
    """
    rows_to = _another(settings.move_database_url, settings.database)
    bytes_to = _another(settings.move_blob_url, settings.blobs)
    if not (rows_to or bytes_to):
        raise StartError("MOVE_DATABASE_URL and MOVE_BLOB_URL name no other place to move to.")
    said, changes = list[str](), list[str]()
    lost = 0
    with ExitStack() as stack:
        rows = stack.enter_context(held(settings.database))
        _agree(rows, settings.lookalike_home.absolute())
        place = stack.enter_context(empty_place(rows_to, settings)) if rows_to else None
        if bytes_to:
            carried = await _carry(rows, settings)
            lost = carried.lost
            said.append(
                f"{bytes_to} has {carried.count:,} photos and pictures ({size(carried.size)})"
            )
            changes.append("BLOB_URL")
        if place is not None:
            said.append(f"{place.name} has {await place.fill(rows):,} rows")
            changes.append("DATABASE_URL")
    return " ".join([*_told(said, lost), _what_to_change(changes)])


def _another(url: str, present: str) -> str:
    return "" if url == present else url


def _agree(rows: Connection, home: Path) -> None:
    """Makes sure that the home names the forgotten by the key that the database was begun with.

    Raises:
        StartError: it does not.
    """
    fingerprint = rows.scalar(select(ForgottenKey.fingerprint))
    known = Tombstones(home)
    if fingerprint and (not has_forgotten_key(home) or known.fingerprint != fingerprint):
        raise StartError(
            "The database was begun with another home's forgotten-key: copy that file to this"
            " LOOKALIKE_HOME before, or move in that home."
        )


async def _carry(rows: Connection, settings: DbserviceSettings) -> Carried:
    source = await open_blobs(settings.blobs, settings, read_only=True)
    target = await open_blobs(settings.move_blob_url, settings)
    with told(settings.move_blob_url):
        present = await Present.of(target)
        try:
            present.refuse_strangers((each.key for each in named(rows)), settings.move_blob_url)
            carried = await carry(named(rows), source, target, present)
        finally:
            present.close()
    if carried.lost > carried.count:
        message = "most photos and pictures that the database names are not there"
        raise StartError(f"{settings.blobs}: {message}; does DATABASE_URL belong to BLOB_URL?")
    return carried


def _told(said: Sequence[str], lost: int) -> list[str]:
    found = [f"{' and '.join(said)} now, all compared with what was copied."]
    if lost:
        found.append(f"{lost:,} photos or pictures were missing or damaged already.")
    return found


def _what_to_change(names: Sequence[str]) -> str:
    each = " and ".join(f"{name} to what MOVE_{name} says" for name in names)
    gone = " and ".join(f"MOVE_{name}" for name in names)
    return f"Now set {each}, take {gone} out, and start. What was copied is still where it was."


async def _main(settings: DbserviceSettings, stop: asyncio.Event) -> None:
    print(await unless_stopped(stop, move(settings)))  # noqa: T201, for who types it


if __name__ == "__main__":
    run("move", DbserviceSettings, _main)
