"""What an export says: all that is kept, and nothing that the documents do not explain."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from bot.exports.entries import document
from protos.lookalike.db.v1 import db_pb2 as db

ROOT = Path(__file__).parents[3]

OF_THE_WORK = {
    "photo.bot_id",
    "photo.user_id",
    "photo.channel_post",
    "generation.photo_id",
    "generation.user_notified",
    "generation.attempts",
    "generation.sending.kind",
    "generation.sending.after",
    "generation.sending.unseen",
    "generation.error.message",
    "generation.error.goes_on_at",
    "generation.deleted_at",
    "generation.traceparent",
}
"""What says nothing of the user, is said in another place, or is not there in an export."""


def fill(message: Message) -> None:
    """Gives every field a value."""
    for field in message.DESCRIPTOR.fields:
        number = field.number + 1
        if isinstance(getattr(message, field.name), Timestamp):
            getattr(message, field.name).FromSeconds(1_000_000_000 + number)
        elif field.type == field.TYPE_MESSAGE:
            fill(getattr(message, field.name))
        elif field.is_repeated:
            getattr(message, field.name).append(f"{field.name} {number}")
        elif field.type == field.TYPE_STRING:
            setattr(message, field.name, f"{field.name} {number}")
        else:
            setattr(message, field.name, {field.TYPE_ENUM: 2}.get(field.type, number % 50))


def leaves(message: Message, prefix: str) -> Iterator[tuple[str, Message, str]]:
    """Every field that has a value of its own, and whose it is."""
    for field in message.DESCRIPTOR.fields:
        name = f"{prefix}.{field.name}"
        value = getattr(message, field.name)
        if field.type == field.TYPE_MESSAGE and not isinstance(value, Timestamp):
            yield from leaves(value, name)
        else:
            yield name, message, field.name


def filled() -> tuple[db.ExportEntry, db.ExportEntry]:
    photo, picture = db.Photo(), db.Generation()
    fill(photo)
    fill(picture)
    return db.ExportEntry(photo=photo), db.ExportEntry(generation=picture)


async def said(*entries: db.ExportEntry) -> str:
    async def given() -> AsyncIterator[db.ExportEntry]:
        for entry in entries:
            yield entry

    export, about = db.Export(), db.ReadExportResponse.About()
    fill(export)
    fill(about)
    return "".join([piece async for piece in document(export, about, given())])


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


async def test_whatever_is_known_is_in_it() -> None:
    whole = await said(*filled())
    names = [name for entry in filled() for name, _, _ in leaves(*_row(entry))]
    assert len(names) > 60
    for index in range(2):
        for name, _, _ in leaves(*_row(filled()[index])):
            changed = filled()
            found = {each: (owner, field) for each, owner, field in leaves(*_row(changed[index]))}
            owner, field = found[name]
            owner.ClearField(field)
            is_said = await said(*changed) != whole
            assert is_said == (name not in OF_THE_WORK), name


def _row(entry: db.ExportEntry) -> tuple[Message, str]:
    return (entry.photo, "photo") if entry.HasField("photo") else (entry.generation, "generation")


async def test_each_of_its_names_is_explained() -> None:
    text = (ROOT / "docs" / "privacy.md").read_text()
    section = text.partition("## Your own copy\n")[2].partition("\n## ")[0]
    explained = set(re.findall(r"`(\w+)`", section))
    photo, picture = filled()
    lost = db.ExportEntry(photo=photo.photo, missing=True)
    assert {*keys(json.loads(await said(photo, picture, lost)))} <= explained


@pytest.mark.parametrize("shape", ["", "p", "pp", "pg", "pggpg", "ppggp"])
async def test_it_is_json_whatever_follows_what(shape: str) -> None:
    photo, picture = filled()
    document = json.loads(await said(*({"p": photo, "g": picture}[each] for each in shape)))
    told = "".join("p" + "g" * len(each["pictures"]) for each in document["photos"])
    assert told == shape
    text = await said(photo, picture)
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
