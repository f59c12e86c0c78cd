"""What an export says of a photo and of a picture, and where in it their bytes are."""

import datetime as dt
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from protos.lookalike.db.v1 import db_pb2 as db

_SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


def image_of(entry: db.ExportEntry) -> db.ImageInfo | None:
    """What is known of the entry's bytes; None: it has none."""
    row = entry.photo if entry.HasField("photo") else entry.generation.picture
    return row.image if row.HasField("image") and not entry.missing else None


def file_of(entry: db.ExportEntry) -> str | None:
    """The name of the entry's file, by which files sort as they were made; None: it has none."""
    image = image_of(entry)
    if image is None:
        return None
    if entry.HasField("photo"):
        folder, key, at = "photos", entry.photo.id, entry.photo.received_at
    else:
        folder, key, at = "pictures", entry.generation.id, entry.generation.created_at
    suffix = _SUFFIXES.get(image.media_type, "")
    name = f"{at.ToDatetime():%Y-%m-%d-%H%M%S}-{key}{suffix}"
    return str(PurePosixPath(folder, name))


async def document(
    export: db.Export, about: db.ReadExportResponse.About, entries: AsyncIterator[db.ExportEntry]
) -> AsyncGenerator[str]:
    """The readable part, JSON, in pieces: each photo has a list of its pictures."""
    yield _opened(_head(export, about), "photos", 0)
    photos = pictures = 0
    async for entry in entries:
        if entry.HasField("photo"):
            yield _closed(pictures, 2) if photos else ""
            yield "," if photos else ""
            yield _line(2) + _opened(_photo(entry), "pictures", 2)
            photos, pictures = photos + 1, 0
        else:
            yield "," if pictures else ""
            yield _line(4) + _indented(_picture(entry), 4)
            pictures += 1
    yield _closed(pictures, 2) if photos else ""
    yield _closed(photos, 0) + "\n"


def _indented(value: Mapping[str, Any], depth: int) -> str:
    """JSON as it stands so deep; a line's end is never within a text."""
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", _line(depth))


def _opened(value: Mapping[str, Any], name: str, depth: int) -> str:
    """An object that goes on with a list of this name."""
    whole = _indented(value, depth)
    return f'{whole.removesuffix(_line(depth) + "}")},{_line(depth + 1)}"{name}": ['


def _closed(items: int, depth: int) -> str:
    """Ends that list and its object."""
    return f"{_line(depth + 1) if items else ''}]{_line(depth)}}}"


def _line(depth: int) -> str:
    return "\n" + "  " * depth


def _head(export: db.Export, about: db.ReadExportResponse.About) -> Mapping[str, Any]:
    chosen = about.settings
    return {
        "user": export.user_id,
        "asked_at": _time(export.asked_at),
        "language": export.language_code,
        "settings": _given(
            dial=_name(db.Dial, chosen.dial, "DIAL_"),
            pictures=chosen.pictures or None,
            language=chosen.language,
            time_zone=chosen.time_zone,
            style=chosen.style,
            news=chosen.news if chosen.HasField("news") else None,
        ),
        "owns_the_bot": about.owner,
        "invited_at": _time(about.joined_at) if about.HasField("joined_at") else None,
        "kept_bytes": about.kept_bytes,
    }


def _photo(entry: db.ExportEntry) -> Mapping[str, Any]:
    photo = entry.photo
    said = photo.caption
    caption = _given(
        text=said.text,
        confidence=said.confidence if said.HasField("confidence") else None,
        captioner=said.captioner,
        model=said.model,
        guesses=[*said.guesses],
        message=photo.caption_message_id or None,
        first=photo.first_caption or None,
    )
    return _given(
        id=photo.id,
        sent_at=_time(photo.received_at),
        chat=photo.chat_id,
        topic=photo.message_thread_id or None,
        message=photo.message_id,
        language=photo.language_code,
        words=photo.user_text,
        words_with_the_album=photo.album_text,
        album_grew_at=_time(photo.album_newest_at) if photo.HasField("album_newest_at") else None,
        caption=caption or None,
        telegram_file=photo.file_id,
        telegram_bytes=photo.file_size or None,
        **_file(entry),
    )


def _picture(entry: db.ExportEntry) -> Mapping[str, Any]:
    row = entry.generation
    recipe, asked, picture = row.recipe, row.parameters, row.picture
    of_picture = {"made_with_seed": picture.seed} if row.HasField("picture") else {}
    return _given(
        id=row.id,
        asked_at=_time(row.created_at),
        ended_at=_time(row.closed_at) if row.HasField("closed_at") else None,
        state=_name(db.GenerationState, row.state, "GENERATION_STATE_"),
        star=row.starred,
        dial=_name(db.Dial, recipe.dial, "DIAL_"),
        style=recipe.style,
        words=recipe.words,
        prompt=asked.prompt,
        negative_prompt=asked.negative_prompt,
        preset=asked.preset,
        **{
            name: getattr(asked, name) if asked.HasField(name) else None
            for name in ("width", "height", "steps", "guidance_scale", "seed")
        },
        **of_picture,
        model=picture.model,
        follows=row.parent_id,
        pictures=row.pictures,
        set=row.set_id,
        place_in_set=row.place or None,
        messages=_given(
            answered=row.reply_to_message_id or None,
            status=row.status_message_id or None,
            picture=row.result_message_id or None,
            choices=row.choices_message_id or None,
            ending=row.ending_message_id or None,
        )
        or None,
        error=row.error.code,
        telegram_file=picture.file_id,
        **_file(entry),
    )


def _file(entry: db.ExportEntry) -> Mapping[str, Any]:
    if entry.missing:
        return {"missing": True}
    image = image_of(entry)
    if image is None:
        return {}
    return {
        "file": file_of(entry),
        "file_type": image.media_type,
        "file_width": image.width,
        "file_height": image.height,
        "file_bytes": image.size,
        "file_sha256": image.sha256,
    }


def _given(**fields: Any) -> Mapping[str, Any]:
    """Without what there is nothing to say of."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _name(values: Any, value: int, prefix: str) -> str | None:
    return values.Name(value).removeprefix(prefix).lower() if value else None


def _time(stamp: Timestamp) -> str:
    return stamp.ToDatetime(dt.UTC).isoformat(timespec="seconds")
