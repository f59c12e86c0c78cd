"""Packs a part of an export: a ZIP file, of which so much is in memory as one read takes."""

import zipfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import BinaryIO, Final

from bot.clients.dbservice import DatabaseClient
from bot.clients.errors import NotFound
from bot.exports.entries import document, file_of, image_of
from protos.lookalike.db.v1 import db_pb2 as db

DOCUMENT: Final = "export.json"
"""What the first part has besides photos and pictures."""

_OVERHEAD: Final = 300
"""Bytes that a file costs in a ZIP besides its own and its name's."""


@dataclass(frozen=True)
class Part:
    """A part that is packed.

    Attributes:
        number: from 1.
        count: how many parts there are, as far as can be said now.
        cursor: of the last entry in it.
    """

    number: int
    count: int
    cursor: str


class Packer:
    """What is packed of one export."""

    def __init__(self, database: DatabaseClient, bot_id: int, export: db.Export, most: int) -> None:
        """Packs nothing yet; `most` is how many bytes a part may have."""
        self._database = database
        self._bot_id = bot_id
        self._export = export
        self._most = most

    async def pack(self, target: BinaryIO) -> Part:
        """Packs the next part.

        Raises:
            NotFound: the export is over.
            DatabaseError: dbservice is away, or has a fault.
            OSError: the disk is full.
        """
        export, used = self._export, 0
        cursor, is_full = export.cursor, False
        with zipfile.ZipFile(target, "w") as packed:
            if not export.parts:
                await self._describe(packed)
                used = target.tell()
            async with aclosing(self._entries(cursor)) as entries:
                async for entry in entries:
                    cost = _cost(entry)
                    if is_full := bool(used) and used + cost > self._most:
                        break
                    await self._add(packed, entry)
                    used += cost
                    cursor = entry.cursor
        number = export.parts + 1
        return Part(number, number + (await self._count(cursor) if is_full else 0), cursor)

    async def _describe(self, packed: zipfile.ZipFile) -> None:
        about = (await self._page("")).about
        entry = zipfile.ZipInfo(DOCUMENT, self._export.asked_at.ToDatetime().timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        with packed.open(entry, "w") as target:
            async with (
                aclosing(self._entries("")) as entries,
                aclosing(document(self._export, about, entries)) as pieces,
            ):
                async for piece in pieces:
                    target.write(piece.encode())

    async def _add(self, packed: zipfile.ZipFile, entry: db.ExportEntry) -> None:
        """Adds the bytes of an entry as they are; none where they are gone since."""
        name = file_of(entry)
        if name is None:
            return
        if entry.HasField("photo"):
            at, request = entry.photo.received_at, db.GetImageRequest(photo_id=entry.photo.id)
        else:
            row = entry.generation
            at, request = row.created_at, db.GetImageRequest(generation_id=row.id)
        request.user_id = self._export.user_id
        async with aclosing(self._database.open_image(request)) as responses:
            try:
                await anext(responses)  # what they are, which is known
                first = await anext(responses)
            except (NotFound, StopAsyncIteration):
                return
            with packed.open(zipfile.ZipInfo(name, at.ToDatetime().timetuple()[:6]), "w") as target:
                target.write(first.chunk)
                async for response in responses:
                    target.write(response.chunk)

    async def _count(self, cursor: str) -> int:
        """How many parts there are after this entry."""
        parts, used = 1, 0
        async with aclosing(self._entries(cursor)) as entries:
            async for entry in entries:
                cost = _cost(entry)
                if used and used + cost > self._most:
                    parts, used = parts + 1, 0
                used += cost
        return parts

    async def _entries(self, cursor: str) -> AsyncGenerator[db.ExportEntry]:
        while True:
            page = await self._page(cursor)
            for entry in page.entries:
                yield entry
            if not page.cursor:
                return
            cursor = page.cursor

    async def _page(self, cursor: str) -> db.ReadExportResponse:
        request = db.ReadExportRequest(
            bot_id=self._bot_id, user_id=self._export.user_id, cursor=cursor
        )
        return await self._database.read_export(request)


def _cost(entry: db.ExportEntry) -> int:
    image, name = image_of(entry), file_of(entry)
    if image is None or name is None:
        return 0
    return image.size + 2 * len(name) + _OVERHEAD
