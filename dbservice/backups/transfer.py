"""Bytes on their way from one store to another, each looked at on both sides."""

import asyncio
import errno
import hashlib
import itertools
import logging
import sqlite3
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection, select, union_all

from dbservice.models import Generation, Photo
from lookalike.blobs import Blobs
from lookalike.errors import StartError

_AT_ONCE: Final = 16
"""A store over a network takes its time for each, and several at once."""

_BATCH: Final = 1000
_SAY_SECONDS: Final = 30.0

_log = logging.getLogger(__name__)


class Named(NamedTuple):
    """Bytes that a row names.

    Attributes:
        key: what they are stored under.
        size: in bytes.
        sha256: in hex.
    """

    key: str
    size: int
    sha256: str


@dataclass
class Carried:
    """How much has come.

    Attributes:
        count: of photos and pictures.
        size: theirs, in bytes.
        lost: how many were missing or damaged before, and stayed so.
    """

    count: int = 0
    size: int = 0
    lost: int = 0


class Present:
    """The keys that a store has before anything comes. They are kept on the disk."""

    def __init__(self) -> None:
        """None yet; see `of`."""
        self._index = sqlite3.connect("", isolation_level=None)
        self._index.execute("CREATE TABLE keys (key TEXT PRIMARY KEY, named INT) WITHOUT ROWID")
        self._index.execute("BEGIN")

    @classmethod
    async def of(cls, blobs: Blobs) -> "Present":
        """Those of a store.

        Raises:
            OSError: the store is away.
        """
        present = cls()
        async for key in blobs.list():
            present._index.execute("INSERT OR IGNORE INTO keys VALUES (?, 0)", (key,))
        return present

    def __contains__(self, key: str) -> bool:
        found = self._index.execute("SELECT 1 FROM keys WHERE key = ?", (key,))
        return found.fetchone() is not None

    def close(self) -> None:
        """Forgets them."""
        self._index.close()

    def refuse_strangers(self, named: Iterable[str], url: str) -> None:
        """Makes sure that most of the keys are ours, as after a try that was cut short.

        The few that are not are swept once a service runs.

        Args:
            named: by our rows.
            url: the store's, for the sentence.

        Raises:
            StartError: they are another installation's.
        """
        self._index.executemany(
            "UPDATE keys SET named = 1 WHERE key = ?", ((key,) for key in named)
        )
        row = self._index.execute("SELECT count(*), coalesce(sum(named), 0) FROM keys").fetchone()
        if row[0] - row[1] > row[1]:
            message = "has other photos and pictures already: name an empty folder or prefix"
            raise StartError(f"{url} {message}.")


class _DamagedError(Exception):
    """The bytes are not those that the row speaks of."""


def named(rows: Connection) -> Iterator[Named]:
    """All bytes that the rows of a database name."""
    parts = (
        select(each.image_key, each.image_size, each.image_sha256).where(
            each.image_key.is_not(None)
        )
        for each in (Photo, Generation)
    )
    found = rows.execute(union_all(*parts), execution_options={"yield_per": _BATCH})
    for key, size, sha256 in found:
        yield Named(str(key), int(size or 0), str(sha256))


async def carry(wanted: Iterable[Named], source: Blobs, target: Blobs, present: Present) -> Carried:
    """Stores bytes in another store and reads each back; those that are there already stay.

    Args:
        wanted: which.
        source: where they are.
        target: where they come to.
        present: what was there before.

    Raises:
        StartError: the source cannot be read.
        OSError: the target cannot be read or written, or gives back something else.
    """
    carried, said = Carried(), time.monotonic()
    rest = iter(wanted)
    while some := tuple(itertools.islice(rest, _AT_ONCE)):
        outcomes = await asyncio.gather(
            *(_carry(each, source, target, is_there=each.key in present) for each in some),
            return_exceptions=True,  # none is left running
        )
        for each, outcome in zip(some, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            carried.lost += not outcome
            carried.count += outcome
            carried.size += each.size if outcome else 0
        if time.monotonic() - said > _SAY_SECONDS:
            said = time.monotonic()
            _log.info("%s photos and pictures have come.", f"{carried.count:,}")
    return carried


@contextmanager
def told(url: str) -> Iterator[None]:
    """Has what is wrong with a store be told in a sentence.

    Raises:
        StartError: it cannot be used.
    """
    try:
        yield
    except OSError as error:
        raise StartError(f"{url} cannot be used: {error.strerror or error}.") from error


async def read(blobs: Blobs, key: str) -> AsyncGenerator[bytes]:
    """The bytes of a key, for whoever writes somewhere else meanwhile.

    Raises:
        FileNotFoundError: there are none.
        StartError: the store cannot be read.
    """
    try:
        async with aclosing(blobs.open(key)) as parts:
            async for part in parts:
                yield part
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise StartError(f"The photos and pictures cannot be read: {reason}.") from error


async def _carry(each: Named, source: Blobs, target: Blobs, *, is_there: bool) -> bool:
    """Whether the bytes are there then."""
    if is_there:
        if await _sha256(target, each.key) == each.sha256:
            return True
        await target.delete([each.key])
    try:
        await target.put(each.key, _verified(source, each))
    except (FileNotFoundError, _DamagedError):
        return False
    if await _sha256(target, each.key) != each.sha256:
        raise OSError(errno.EIO, "it gives back other bytes than it was given", each.key)
    return True


async def _verified(source: Blobs, each: Named) -> AsyncGenerator[bytes]:
    digest = hashlib.sha256()
    async with aclosing(read(source, each.key)) as parts:
        async for part in parts:
            digest.update(part)
            yield part
    if digest.hexdigest() != each.sha256:
        raise _DamagedError


async def _sha256(blobs: Blobs, key: str) -> str | None:
    digest = hashlib.sha256()
    try:
        async with aclosing(blobs.open(key)) as parts:
            async for part in parts:
                digest.update(part)
    except FileNotFoundError:
        return None
    return digest.hexdigest()
