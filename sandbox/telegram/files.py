"""Files: bytes on disk, found by their file_id."""

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import UploadFile

from lookalike.files import write_durably
from lookalike.imaging.decoder import Decoder
from sandbox.storage.schema import Json, files
from sandbox.telegram.photos import PhotoSize, make_sizes, make_thumbnail, take_thumbnail
from sandbox.telegram.refusals import bad_request

MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
"""What getFile hands out (core.telegram.org/bots/api#getfile)."""

FileRow: TypeAlias = Row[Any]
"""A row of the table `files`."""


@dataclass(frozen=True)
class Upload:
    """A file as its sender uploads it.

    Attributes:
        name: its name, without folders.
        media_type: as the sender says.
        data: the bytes.
    """

    name: str
    media_type: str
    data: bytes


async def read_upload(file: UploadFile) -> Upload:
    """An uploaded part of a form, whole."""
    return Upload(
        name=PurePosixPath(file.filename or "file").name[:255] or "file",
        media_type=file.content_type or "application/octet-stream",
        data=await file.read(),
    )


@dataclass(frozen=True)
class PreparedFile:
    """A file whose bytes are on disk, and which belongs to no message yet.

    Attributes:
        rows: what to add to the table `files`.
        content: the part of a `Message`: `photo`, or `document` with its thumbnail.
    """

    rows: list[Json]
    content: Json


async def prepare_photo(folder: Path, upload: Upload) -> PreparedFile:
    """Makes a photo's sizes, and writes them and the original to `folder`.

    Raises:
        Refusal: Telegram would not accept it as a photo.
    """
    return await asyncio.to_thread(_prepare_photo, folder, upload)


def _prepare_photo(folder: Path, upload: Upload) -> PreparedFile:
    sizes = make_sizes(upload.data)
    original = _write_original(folder, upload)
    photo: list[Json] = []
    rows: list[Json] = []
    for size in sizes:
        described, row = _write_size(folder, size, "AgACAgIAAx")
        photo.append(described)
        rows.append(row)
    return _prepared(rows, original, upload, {"photo": photo})


def _write_size(folder: Path, size: PhotoSize, prefix: str) -> tuple[Json, Json]:
    """Writes a JPEG; gives it as a `PhotoSize`, and what its row has of its own."""
    path = f"photos/file_{secrets.token_hex(8)}.jpg"
    write_durably(folder / path, size.data)
    names = _new_names(prefix)
    described = {
        **names,
        "file_size": len(size.data),
        "width": size.width,
        "height": size.height,
    }
    return described, {"file_id": names["file_id"], "path": path, "size": len(size.data)}


async def prepare_document(
    folder: Path, decoder: Decoder, upload: Upload, thumbnail: Upload | None = None
) -> PreparedFile:
    """Writes a document to `folder`, its bytes as they are.

    It gets the thumbnail that came with it; else, if it is an image, Telegram makes one.

    Raises:
        Refusal: it is empty.
    """
    if not upload.data:
        raise bad_request("file must be non-empty")
    size = take_thumbnail(thumbnail.data) if thumbnail else None
    size = size or await make_thumbnail(decoder, upload.data)
    return await asyncio.to_thread(_prepare_document, folder, upload, size)


def _prepare_document(folder: Path, upload: Upload, size: PhotoSize | None) -> PreparedFile:
    original = _write_original(folder, upload)
    names = _new_names("BQACAgIAAx")
    document = {
        "file_name": upload.name,
        "mime_type": upload.media_type,
        **names,
        "file_size": len(upload.data),
    }
    rows: list[Json] = []
    if size is not None:
        document["thumbnail"], row = _write_size(folder, size, "AAMCAgADGQEAA")
        rows = [
            {
                **row,
                "original": row["path"],
                "media_type": "image/jpeg",
                "content": {"thumbnail": document["thumbnail"]},
            }
        ]
    own = {"file_id": names["file_id"], "path": original, "size": len(upload.data)}
    prepared = _prepared([own], original, upload, {"document": document})
    return PreparedFile([*prepared.rows, *rows], prepared.content)


def _prepared(rows: list[Json], original: str, upload: Upload, content: Json) -> PreparedFile:
    shared = {"original": original, "media_type": upload.media_type, "content": content}
    return PreparedFile([{**row, **shared} for row in rows], content)


def _write_original(folder: Path, upload: Upload) -> str:
    suffix = PurePosixPath(upload.name).suffix[:10]
    path = f"documents/file_{secrets.token_hex(8)}{suffix}"
    write_durably(folder / path, upload.data)
    return path


def _new_names(prefix: str) -> Json:
    return {
        "file_id": prefix + secrets.token_urlsafe(30),
        "file_unique_id": "AQAD" + secrets.token_urlsafe(9),
    }


async def add_file(tx: AsyncConnection, prepared: PreparedFile) -> Json:
    """Adds a prepared file; gives its part of a `Message`."""
    await tx.execute(insert(files), prepared.rows)
    return prepared.content


async def find_file(tx: AsyncConnection, file_id: str) -> FileRow | None:
    """The file, also one that is no longer valid."""
    return (await tx.execute(select(files).where(files.c.file_id == file_id))).one_or_none()


async def find_path(tx: AsyncConnection, path: str) -> FileRow | None:
    """The valid file that getFile gave this path."""
    query = select(files).where(files.c.path == path, files.c.valid.is_(True))
    return (await tx.execute(query)).one_or_none()


async def reuse_file(tx: AsyncConnection, file_id: str, kind: str) -> Json:
    """The part of a `Message` for a file that Telegram already has.

    Raises:
        Refusal: there is no such file, or it is of another kind.
    """
    file = await find_file(tx, file_id)
    if file is None or not file.valid:
        raise bad_request("wrong file identifier/HTTP URL specified")
    if kind not in file.content:
        (actual,) = file.content
        raise bad_request(f"can't use file of type {actual.title()} as {kind.title()}")
    content: Json = file.content
    return content


async def invalidate(tx: AsyncConnection, file: FileRow) -> None:
    """Makes the Bot API refuse the file_ids of a file, of all sizes if it is a photo."""
    await tx.execute(update(files).where(files.c.original == file.original).values(valid=False))
