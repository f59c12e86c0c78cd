"""`python -m dbservice.backups.restore FILE`: what `lookalike restore` runs."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Container, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import BinaryIO

from dbservice.backups import archive, snapshot
from dbservice.backups.archive import DATABASE, DamagedError, Manifest, Member, NewerError
from dbservice.backups.places import empty_place
from dbservice.backups.stopping import unless_stopped
from dbservice.backups.transfer import Present, told
from dbservice.burying import bury
from dbservice.settings import DbserviceSettings
from dbservice.tombstones import Tombstones
from lookalike.errors import StartError
from lookalike.lifecycle import run
from lookalike.storage import open_blobs
from lookalike.tokens import has_forgotten_key


async def restore(settings: DbserviceSettings, source: Path) -> str:
    """Puts a backup in place; the rows come last, so there is all of it or none.

    Returns:
        What was restored, in words.

    Raises:
        StartError: there are rows already, a service uses the place, the file is not a whole backup
            that this version understands, or something fails.
    """
    with empty_place(settings.database, settings) as place:
        tombstones = Tombstones(settings.lookalike_home.absolute())
        try:
            with source.open("rb") as file:
                manifest = await _verify(file, place.draft)
                has_key = has_forgotten_key(settings.lookalike_home)
                _agree(place.draft, tombstones.fingerprint if has_key else None)
                gone = {*await asyncio.to_thread(bury, place.draft, tombstones)}
                _end_what_was_under_way(place.draft)
                await _put(file, place.draft, gone, settings)
            await place.take_draft()
        except (DamagedError, snapshot.UnusableError) as error:
            raise StartError(f"{source} cannot be restored: {error}.") from None
        except (NewerError, snapshot.UnknownVersionError):
            raise StartError(f"{source} was made by a newer Lookalike.") from None
        except OSError as error:
            reason = error.strerror or error
            raise StartError(f"{error.filename or place.draft.parent}: {reason}.") from error
        except sqlite3.Error as error:
            raise StartError(f"{place.draft} cannot be used: {error}.") from error
    made = f"made by Lookalike {manifest.lookalike} on {manifest.made_at:%Y-%m-%d at %H:%M} UTC"
    said = f"{place.name} has {manifest.summary} now, {made}."
    if gone:
        said += f" {len(gone):,} of these are left out, of people who were forgotten since."
    return f"{said} Start it as usual."


def _agree(draft: Path, fingerprint: str | None) -> None:
    """Has the database no key of its own by which the forgotten are named: the first start has it.

    Args:
        draft: the database.
        fingerprint: of the home's key; None: it has none.

    Raises:
        StartError: it was another one.
    """
    with closing(sqlite3.connect(draft)) as connection, connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "forgotten_keys" not in tables:
            return
        row = connection.execute("DELETE FROM forgotten_keys RETURNING fingerprint").fetchone()
        if row and fingerprint not in {None, row[0]}:
            raise StartError(
                "The backup was made with another home's forgotten-key: copy that file to this"
                " LOOKALIKE_HOME before."
            )


def _end_what_was_under_way(draft: Path) -> None:
    """What the backup was made in the midst of has gone on since: nobody gets it twice.

    Whoever was to get an export may ask for another one at once.
    """
    with closing(sqlite3.connect(draft)) as connection, connection:
        # An earlier version has fewer tables.
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "broadcasts" in tables:
            connection.execute("DELETE FROM broadcasts_in_flight")
            connection.execute(
                "UPDATE broadcasts SET state = 'cancelled', last_user_id = 0, closed_at = begun_at"
                " WHERE closed_at IS NULL"
            )
        if "exports" in tables:
            connection.execute("DELETE FROM exports WHERE ended_at IS NULL")


async def _verify(file: BinaryIO, draft: Path) -> Manifest:
    """Reads all of the file, and writes its database to the draft.

    Raises:
        DamagedError: it is not as it was made, or rows name other bytes than it has.
        NewerError: it was made by a newer version.
        snapshot.UnusableError: its database is damaged.
        snapshot.UnknownVersionError: a newer version knows its database.
    """
    manifest = archive.read_manifest(file)
    if not snapshot.is_known(manifest.revision):
        raise NewerError
    with closing(sqlite3.connect("", isolation_level=None)) as index:  # a file that goes with it
        index.execute("CREATE TABLE bytes (key TEXT PRIMARY KEY, size INTEGER, sha256 TEXT)")
        index.execute("BEGIN")
        for member in archive.read(file):
            if member.name == DATABASE:
                _write(draft, member.chunks)
            else:
                member.skip()
                _note(index, member)
            await asyncio.sleep(0)  # so that it can be stopped
        found = await asyncio.to_thread(snapshot.check, draft)
        if (found.revision, found.rows) != (manifest.revision, manifest.rows):
            raise DamagedError("its manifest does not match")
        _compare(index, draft)
    return manifest


def _write(draft: Path, chunks: Iterator[bytes]) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        target.writelines(chunks)
        target.flush()
        os.fsync(descriptor)


def _note(index: sqlite3.Connection, member: Member) -> None:
    row = (member.name, member.size, member.sha256)
    try:
        index.execute("INSERT INTO bytes VALUES (?, ?, ?)", row)
    except sqlite3.IntegrityError:
        raise DamagedError("it has the same picture twice") from None


def _compare(index: sqlite3.Connection, database: Path) -> None:
    """Makes sure that the rows name the bytes that are there, and no others.

    Raises:
        DamagedError: they do not.
    """
    for row in snapshot.named(database):
        known = index.execute("DELETE FROM bytes WHERE (key, size, sha256) = (?, ?, ?)", row)
        if known.rowcount != 1:
            raise DamagedError("a row names a picture that is not in it")
    if index.execute("SELECT 1 FROM bytes").fetchone() is not None:
        raise DamagedError("it has a picture that no row names")


async def _put(
    file: BinaryIO, draft: Path, gone: Container[str], settings: DbserviceSettings
) -> None:
    """Stores all bytes but those; what an earlier try that was cut off left is written again."""
    blobs = await open_blobs(settings.blobs, settings)
    with told(settings.blobs):
        present = await Present.of(blobs)
        try:
            present.refuse_strangers((row[0] for row in snapshot.named(draft)), settings.blobs)
        finally:
            present.close()
        for member in archive.read(file):
            if member.name == DATABASE or member.name in gone:
                member.skip()
            else:
                await blobs.put(member.name, _parts(member))


async def _parts(member: Member) -> AsyncIterator[bytes]:
    for chunk in member.chunks:
        yield chunk


async def _main(source: Path, settings: DbserviceSettings, stop: asyncio.Event) -> None:
    print(await unless_stopped(stop, restore(settings, source)))  # noqa: T201, for who types it


if __name__ == "__main__":
    run("restore", DbserviceSettings, partial(_main, Path(sys.argv[1])))
