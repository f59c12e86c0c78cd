"""The file of a backup: a tar archive that any `tar` can unpack, written and read by parts.

Whatever is read may be damaged or made by somebody else: only headers exactly as `Writer` makes
them are taken, so there are no links, no other folders and nothing to expand. What is kept in
memory does not grow with the file.
"""

import hashlib
import sqlite3
import tarfile
import time
from collections.abc import AsyncIterable, Iterable, Iterator
from datetime import datetime
from itertools import chain, starmap
from typing import BinaryIO, Final

from pydantic import BaseModel, Field, ValidationError

from dbservice.validation.work import MAX_PICTURE
from lookalike.blobs import CHUNK_BYTES, is_key
from lookalike.checks import size as in_words

DATABASE: Final = "lookalike.db"
FORMAT: Final = 1

_MANIFEST = "manifest.json"
_SUMS = "SHA256SUMS"
_REMOVED = "removed"
_BLOBS = "blobs/"

_MANIFEST_BYTES = 4096
"""Written at the end, into room that was left for it: so it can be read first."""

_ZEROS = bytes(CHUNK_BYTES)


class DamagedError(Exception):
    """The file is no backup, or not the one that was made; the message says how that shows."""


class NewerError(Exception):
    """The file was made by a newer Lookalike."""


class _Format(BaseModel):
    format: int = Field(ge=1)


class Manifest(_Format):
    """What the file holds.

    Attributes:
        format: of the file.
        lookalike: the version that made it.
        made_at: when.
        revision: of the database's tables.
        rows: in all tables.
        blobs: how many photos and pictures.
        blob_bytes: all of these together.
    """

    format: int = FORMAT
    lookalike: str = Field(max_length=64)
    made_at: datetime
    revision: str = Field(max_length=32)
    rows: int = Field(ge=0)
    blobs: int = Field(ge=0)
    blob_bytes: int = Field(ge=0)

    @property
    def summary(self) -> str:
        """The counts, in words."""
        megabytes = in_words(self.blob_bytes)
        return f"{self.rows:,} rows and {self.blobs:,} photos and pictures ({megabytes})"


class Member:
    """A photo, a picture or the database, as it is read.

    Attributes:
        name: the key of the bytes, or `DATABASE`.
        size: in bytes.
        chunks: the bytes; they are to be taken to their end.
    """

    def __init__(self, name: str, size: int, file: BinaryIO) -> None:
        self.name = name
        self.size = size
        self._digest = hashlib.sha256()
        self.chunks = self._read(file)

    @property
    def sha256(self) -> str:
        """The checksum of what was taken so far."""
        return self._digest.hexdigest()

    def skip(self) -> None:
        """Takes all of them, for their checksum."""
        for _ in self.chunks:
            pass

    def _read(self, file: BinaryIO) -> Iterator[bytes]:
        left = self.size
        while left:
            chunk = file.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise DamagedError("it is cut off")
            self._digest.update(chunk)
            left -= len(chunk)
            yield chunk
        if any(file.read(-self.size % tarfile.BLOCKSIZE)):
            raise DamagedError("something was added to it")


class Writer:
    """Writes an archive to a new file.

    What has been written is known by an index on the disk, as there may be millions.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        # A file that goes with it; used by one thread after another.
        self._index = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._index.execute("PRAGMA journal_mode=OFF")
        self._index.execute(
            "CREATE TABLE members (number INTEGER PRIMARY KEY, name TEXT UNIQUE,"
            " position INTEGER, size INTEGER, sha256 TEXT, round INTEGER)"
        )
        self._round = 0
        file.write(_header(_MANIFEST, _MANIFEST_BYTES) + bytes(_MANIFEST_BYTES))

    def close(self) -> None:
        """Forgets the index."""
        self._index.close()

    def begin_round(self) -> None:
        """From now on it is to be told anew what is wanted."""
        self._round += 1

    def wants(self, key: str) -> bool:
        """Notes that the bytes of this key are wanted; says whether they are in it already."""
        row = (self._round, _BLOBS + key)
        return self._index.execute("UPDATE members SET round = ? WHERE name = ?", row).rowcount > 0

    def sizes(self) -> tuple[int, int]:
        """How many keys it has, and the size of their bytes."""
        row = self._index.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM members WHERE name <> ?", (DATABASE,)
        ).fetchone()
        return int(row[0]), int(row[1])

    async def add_bytes(self, key: str, parts: AsyncIterable[bytes], sha256: str) -> bool:
        """Adds the bytes of a key.

        Returns:
            Whether it did: not if there are none, or none with this checksum.
        """
        position, digest = self._begin(), hashlib.sha256()
        try:
            async for part in parts:
                digest.update(part)
                self._file.write(part)
        except FileNotFoundError:
            pass
        else:
            if digest.hexdigest() == sha256:
                self._end(_BLOBS + key, position, sha256)
                return True
        self._file.seek(position)
        self._file.truncate()
        return False

    def add_database(self, database: BinaryIO) -> None:
        """Adds the database, after all bytes."""
        self._add(DATABASE, _chunks(database))

    def remove_unwanted(self) -> None:
        """Takes out again what nobody has wanted in this round: zeros are in its place."""
        unwanted = self._index.execute(
            "DELETE FROM members WHERE round < ? RETURNING position, size", (self._round,)
        ).fetchall()
        for position, size in unwanted:
            self._file.seek(position)
            self._file.write(_header(_REMOVED, size))
            for start in range(0, size, CHUNK_BYTES):
                self._file.write(_ZEROS[: size - start])
        self._file.seek(0, 2)

    def finish(self, manifest: Manifest) -> None:
        """Writes the manifest, and what comes last."""
        text = manifest.model_dump_json(indent=2).encode().ljust(_MANIFEST_BYTES - 1) + b"\n"
        rows = self._index.execute("SELECT sha256, name FROM members ORDER BY number")
        lines = chain([_line(hashlib.sha256(text).hexdigest(), _MANIFEST)], starmap(_line, rows))
        self._add(_SUMS, lines)
        self._file.write(_end_after(self._file.tell()))
        self._file.seek(tarfile.BLOCKSIZE)
        self._file.write(text)

    def _add(self, name: str, parts: Iterable[bytes]) -> None:
        position, digest = self._begin(), hashlib.sha256()
        for part in parts:
            digest.update(part)
            self._file.write(part)
        self._end(name, position, digest.hexdigest())

    def _begin(self) -> int:
        """Leaves room for a header, whose size is known once its bytes are written."""
        position = self._file.tell()
        self._file.write(_ZEROS[: tarfile.BLOCKSIZE])
        return position

    def _end(self, name: str, position: int, sha256: str) -> None:
        size = self._file.tell() - position - tarfile.BLOCKSIZE
        self._file.write(bytes(-size % tarfile.BLOCKSIZE))
        self._file.seek(position)
        self._file.write(_header(name, size))
        self._file.seek(0, 2)
        if name != _SUMS:
            self._index.execute(
                "INSERT INTO members (name, position, size, sha256, round) VALUES (?, ?, ?, ?, ?)",
                (name, position, size, sha256, self._round),
            )


def read_manifest(file: BinaryIO) -> Manifest:
    """What the file says that it holds.

    Raises:
        DamagedError: it is none of ours.
        NewerError: only a newer version understands it.
    """
    return _read_manifest(file)[0]


def _read_manifest(file: BinaryIO) -> tuple[Manifest, bytes]:
    file.seek(0)
    if _next(file) != (_MANIFEST, _MANIFEST_BYTES):
        raise DamagedError("it is no backup")
    text = file.read(_MANIFEST_BYTES)
    try:
        if _Format.model_validate_json(text).format > FORMAT:
            raise NewerError
        return Manifest.model_validate_json(text), text
    except ValidationError:
        raise DamagedError("its manifest is damaged") from None


def read(file: BinaryIO) -> Iterator[Member]:
    """All that an archive holds, in its order. Who has taken all of it knows that it is whole.

    Raises:
        DamagedError: something in it was changed, added or left out.
        NewerError: as `read_manifest`.
    """
    manifest, text = _read_manifest(file)
    sums = hashlib.sha256(_line(hashlib.sha256(text).hexdigest(), _MANIFEST))
    count = size = 0
    complete = False
    while True:
        name, length = _next(file)
        if complete != (name == _SUMS):
            raise DamagedError("its database is missing, or not the last")
        if complete:
            break
        member = _member(name, length, file)
        if name == _REMOVED:
            member.skip()
            continue
        yield member
        sums.update(_line(member.sha256, name))
        complete = name == DATABASE
        if not complete:
            count, size = count + 1, size + length
    last = Member(_SUMS, length, file)
    last.skip()
    if last.sha256 != sums.hexdigest():
        raise DamagedError("its checksums do not match")
    if (count, size) != (manifest.blobs, manifest.blob_bytes):
        raise DamagedError("its manifest does not match")
    end = _end_after(file.tell())
    if file.read(len(end) + 1) != end:
        raise DamagedError("its end was changed")


def _member(name: str, size: int, file: BinaryIO) -> Member:
    key = name.removeprefix(_BLOBS)
    if name in {DATABASE, _REMOVED}:
        return Member(name, size, file)
    if name != _BLOBS + key or not is_key(key) or size > MAX_PICTURE:
        raise DamagedError("something was added to it")
    return Member(key, size, file)


def _header(name: str, size: int, at: float | None = None) -> bytes:
    """A tar header of a plain file, its owner's alone."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    info.mtime = int(time.time() if at is None else at)
    return info.tobuf(tarfile.GNU_FORMAT)


def _next(file: BinaryIO) -> tuple[str, int]:
    """The name and size in the next header."""
    block = file.read(tarfile.BLOCKSIZE)
    try:
        info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError):
        raise DamagedError("it is cut off, or something in it was changed") from None
    if _header(info.name, info.size, info.mtime) != block:
        raise DamagedError("something was added to it")
    return info.name, info.size


def _end_after(position: int) -> bytes:
    """What ends an archive: two empty blocks, and what fills its last record."""
    least = 2 * tarfile.BLOCKSIZE
    return bytes(least + -(position + least) % tarfile.RECORDSIZE)


def _line(sha256: str, name: str) -> bytes:
    """A line as `sha256sum --check` reads it."""
    return f"{sha256}  {name}\n".encode()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
