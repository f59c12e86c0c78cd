"""`python -m dbservice.backups.backup FILE`: what `lookalike backup` runs."""

import asyncio
import fcntl
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from dbservice.backups import archive, snapshot
from dbservice.backups.archive import Manifest, Writer
from dbservice.backups.live import Live, live_database
from dbservice.backups.stopping import unless_stopped
from dbservice.backups.transfer import read
from dbservice.settings import DbserviceSettings
from lookalike import __version__
from lookalike.blobs import Blobs
from lookalike.errors import StartError
from lookalike.files import sync_folder
from lookalike.lifecycle import run
from lookalike.storage import open_blobs

_MOST_ROUNDS = 20
"""Of each, all but the first copy what has come in the one before."""


async def back_up(settings: DbserviceSettings, target: Path) -> str:
    """Makes a backup, while the service runs or not.

    Returns:
        What it holds, in words.

    Raises:
        StartError: there is nothing to back up, the target is there, or something fails.
    """
    _refuse_if_there(target)
    source = live_database(settings.database)
    try:
        with _part_of(target) as (part, file):
            blobs = await open_blobs(settings.blobs, settings, read_only=True)
            manifest, lost = await _write(file, part, source, blobs)
            await _verify(file)
            _publish(part, target)
    except OSError as error:
        raise StartError(f"{target} cannot be written: {error.strerror or error}.") from error
    except sqlite3.Error as error:
        raise StartError(f"The database {source.name} cannot be copied: {error}.") from error
    said = f"{target} holds {manifest.summary}; it was read back and is whole."
    if lost:
        said += f" {lost:,} photos or pictures were missing or damaged already and are not in it."
    return said


def _refuse_if_there(target: Path) -> None:
    if target.exists():
        raise StartError(f"{target} is there already; give another name.")


@contextmanager
def _part_of(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """The file that becomes the target, for this process alone; it is removed if it does not."""
    part = target.with_name(f"{target.name}.part")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = part.stat().st_ino == os.fstat(descriptor).st_ino
        except (BlockingIOError, FileNotFoundError):
            ours = False
        if not ours:
            raise StartError(f"Another process writes {part}.", passing=True)
        try:
            os.fchmod(descriptor, 0o600)
            file.truncate(0)
            yield part, file
        except BaseException:
            part.unlink(missing_ok=True)
            raise


async def _write(file: BinaryIO, part: Path, source: Live, blobs: Blobs) -> tuple[Manifest, int]:
    """Writes the archive; what it holds is as the last snapshot has it.

    Returns:
        What it holds, and how many photos and pictures had no bytes.
    """
    copy, database = part.with_name(f"{part.name}.copy"), part.with_name(f"{part.name}.db")
    for left in (copy, database):  # by a kill -9
        left.unlink(missing_ok=True)
    writer = Writer(file)
    try:
        lost = await _add_bytes(writer, source, copy, blobs)
        found = await asyncio.to_thread(_add_database, writer, copy, database, lost)
        count, total = writer.sizes()
        manifest = Manifest(
            lookalike=__version__,
            made_at=datetime.now(UTC),
            revision=found.revision,
            rows=found.rows,
            blobs=count,
            blob_bytes=total,
        )
        writer.finish(manifest)
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
        return manifest, len(lost)
    finally:
        writer.close()
        for left in (copy, database):
            left.unlink(missing_ok=True)


async def _add_bytes(writer: Writer, source: Live, copy: Path, blobs: Blobs) -> list[str]:
    """Adds the bytes that a snapshot names and that the database still has thereafter.

    Whoever is forgotten and whatever is deleted meanwhile is in no later snapshot: then there is
    another round, and in the end what was added too early is taken out again.

    Returns:
        The keys that the snapshot names without there being bytes, or the right ones.

    Raises:
        StartError: most bytes are missing, or there is no end to deletions.
    """
    for _ in range(_MOST_ROUNDS):
        writer.begin_round()
        await source.take(copy)
        lost = []
        for key, _size, sha256 in snapshot.named(copy):
            if not writer.wants(key):
                async with aclosing(read(blobs, key)) as parts:
                    if not await writer.add_bytes(key, parts, sha256):
                        lost.append(key)
        if not await source.has_lost(copy):
            break
    else:
        message = f"{source.name}: something is deleted all the time; try again later."
        raise StartError(message, passing=True)
    if len(lost) > writer.sizes()[0]:
        message = "most photos and pictures that the database names are not there"
        raise StartError(f"{source.name}: {message}; does DATABASE_URL belong to BLOB_URL?")
    return lost


def _add_database(writer: Writer, copy: Path, database: Path, lost: list[str]) -> snapshot.Contents:
    """Adds the database of the last snapshot, and takes out what that does not name.

    Raises:
        StartError: it is damaged, or not ours.
    """
    snapshot.compact(copy, database)
    snapshot.forget_bytes(database, lost)
    try:
        found = snapshot.check(database)
    except snapshot.UnusableError as error:
        message = f"it is damaged: {error}; restore an earlier backup"
        raise StartError(f"The database cannot be backed up, since {message}.") from None
    except snapshot.UnknownVersionError:
        raise StartError("The database was made by a newer Lookalike.") from None
    writer.remove_unwanted()
    with database.open("rb") as file:
        writer.add_database(file)
    return found


async def _verify(file: BinaryIO) -> None:
    """Reads all of it again.

    Raises:
        StartError: the disk gives back something else.
    """
    try:
        for member in archive.read(file):
            member.skip()
            await asyncio.sleep(0)  # so that it can be stopped
    except archive.DamagedError as error:
        raise StartError(f"What was written cannot be read back: {error}.") from None


def _publish(part: Path, target: Path) -> None:
    """Gives the file its name, unless that has been taken meanwhile.

    The name is taken by an empty file first: a hard link would do, but not every disk has those.

    Raises:
        FileExistsError: it has.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    part.replace(target)
    sync_folder(target.parent)


async def _main(target: Path, settings: DbserviceSettings, stop: asyncio.Event) -> None:
    print(await unless_stopped(stop, back_up(settings, target)))  # noqa: T201, for who types it


if __name__ == "__main__":
    run("backup", DbserviceSettings, partial(_main, Path(sys.argv[1])))
