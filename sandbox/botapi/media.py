"""A call's photos and documents: uploads, attach:// references, file_ids."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.botapi.call import Call
from sandbox.storage.schema import Json
from sandbox.telegram.files import (
    PreparedFile,
    add_file,
    prepare_document,
    prepare_photo,
    reuse_file,
)
from sandbox.telegram.formatting import message_caption
from sandbox.telegram.refusals import bad_request

ATTACHED = "attach://"
"""What names an uploaded part of the form."""


@dataclass(frozen=True)
class Media:
    """A photo or document with its caption, read and checked, in no message yet.

    Attributes:
        kind: `photo` or `document`.
        source: what was uploaded, or a file_id.
        caption: the caption's fields of a `Message`.
    """

    kind: str
    source: PreparedFile | str
    caption: Json

    async def content(self, tx: AsyncConnection) -> Json:
        """The fields of a `Message`.

        Raises:
            Refusal: the file_id is not valid.
        """
        if isinstance(self.source, str):
            return await reuse_file(tx, self.source, self.kind) | self.caption
        return await add_file(tx, self.source) | self.caption


async def read_media(call: Call, kind: str) -> Media:
    """The media of sendPhoto or sendDocument: the parameter named like the kind.

    Raises:
        Refusal: there is none, or it is not what Telegram takes.
    """
    caption = call.params.formatted_caption()
    source = call.params.text(kind)
    missing = f"there is no {kind} in the request"
    source = source or ATTACHED + kind
    thumbnail = call.params.text("thumbnail") or f"{ATTACHED}thumbnail"
    return Media(kind, await _read_source(call, kind, source, missing, thumbnail), caption)


async def read_input_media(call: Call, item: Any) -> Media:
    """An `InputMedia` object.

    Raises:
        Refusal: it is malformed, or not what Telegram takes.
    """
    problem = "can't parse InputMedia: "
    if not isinstance(item, dict):
        raise bad_request(f"{problem}expected an Object")
    for field in ("type", "media", "caption", "parse_mode", "thumbnail"):
        if not isinstance(item.get(field, ""), str):
            raise bad_request(f'{problem}Field "{field}" must be of type String')
    kind, source = item.get("type", ""), item.get("media", "")
    if not kind:
        raise bad_request(f'{problem}Can\'t find field "type"')
    if kind not in {"photo", "document"}:
        raise bad_request(f'{problem}type "{kind}" is unsupported')
    missing = f"{problem}media not found"
    if not source:
        raise bad_request(missing)
    caption = message_caption(
        item.get("caption", ""), item.get("parse_mode", ""), item.get("caption_entities")
    )
    thumbnail = item.get("thumbnail", "")
    return Media(kind, await _read_source(call, kind, source, missing, thumbnail), caption)


async def _read_source(
    call: Call, kind: str, source: str, missing: str, thumbnail: str
) -> PreparedFile | str:
    if source.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    if not source.startswith(ATTACHED):
        return source
    upload = call.params.files.get(source.removeprefix(ATTACHED))
    if upload is None:
        raise bad_request(missing)
    folder = call.sandbox.database.files_folder
    if kind == "photo":
        return await prepare_photo(folder, upload)
    # A thumbnail that is no upload is ignored, as Telegram ignores it.
    own = call.params.files.get(thumbnail.removeprefix(ATTACHED))
    return await prepare_document(folder, call.sandbox.decoder, upload, own)
