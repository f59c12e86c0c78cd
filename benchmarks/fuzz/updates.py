"""Updates of all kinds that Telegram has, mutated, at the bot's door."""

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.fuzz.door import BOT, open_bot
from benchmarks.fuzz.target import Broken, Throw
from bot.clients.dbservice import DatabaseClient
from bot.placeholder import nothing
from bot.recipes import png
from protos.lookalike.db.v1 import db_pb2 as db

Json = dict[str, Any]

_GOOD_ONES, _ODD_ONES = 10, 10  # in a case, and before each good one of it
_DELETED, _BROKEN = 0.3, 0.01  # of the fields that are changed; of the updates
_FIRST_GOOD_CHAT = 4_000_000_000

_ADA: Json = {"id": 1001, "is_bot": False, "first_name": "Ada", "language_code": "en"}
_PRIVATE: Json = {"id": 1001, "type": "private", "first_name": "Ada"}
_GROUP: Json = {"id": -1_002_000_000_001, "type": "supergroup", "title": "G", "is_forum": True}
_CHANNEL: Json = {"id": -1_002_000_000_002, "type": "channel", "title": "C"}
_PHOTO: Json = {
    "photo": [
        {"file_id": "small", "file_unique_id": "s", "width": 90, "height": 60, "file_size": 900},
        {"file_id": "large", "file_unique_id": "l", "width": 900, "height": 600, "file_size": 9000},
    ]
}
_DOCUMENT: Json = {
    "document": {
        "file_id": "doc",
        "file_unique_id": "d",
        "file_name": "IMG_1.JPG",
        "mime_type": "application/octet-stream",
        "file_size": 1000,
    }
}


_NAMED: Json = {
    "caption": "@Lookalike 😀",
    "caption_entities": [{"type": "mention", "offset": 0, "length": 10}],
}


def _message(chat: Json = _PRIVATE, **fields: Any) -> Json:
    return {"message_id": 7, "date": 1_700_000_000, "chat": chat, "from": _ADA} | fields


def _command(text: str, chat: Json = _PRIVATE) -> Json:
    entities = [{"type": "bot_command", "offset": 0, "length": len(text)}]
    return _message(chat, text=text, entities=entities)


def _press(data: str) -> Json:
    button = {"text": "x", "callback_data": data}
    shown = _message(
        text="Painting",
        reply_markup={"inline_keyboard": [[button]]},
        reply_to_message=_message(**_DOCUMENT),
        **{"from": {"id": BOT, "is_bot": True, "first_name": "L"}},
    )
    return {"id": "77", "from": _ADA, "chat_instance": "5", "data": data, "message": shown}


_MEMBER: Json = {"user": {"id": BOT, "is_bot": True, "first_name": "L"}, "status": "member"}
_ANONYMOUS: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group"}

TEMPLATES: Final[tuple[Json, ...]] = (
    {"message": _message(text="hello")},
    {"message": _message(**_PHOTO, caption="a cat", media_group_id="13")},
    {"message": _message(**_DOCUMENT, caption="@Lookalike", reply_to_message=_message(text="x"))},
    {"message": _message(_GROUP, **_PHOTO, **_NAMED, message_thread_id=5, is_topic_message=True)},
    {"message": _message(_GROUP, **_PHOTO, media_group_id="13")},
    {"message": _command("/paint", _GROUP) | {"reply_to_message": _message(_GROUP, **_PHOTO)}},
    {"message": _message(_GROUP, **_PHOTO, **{"from": _ANONYMOUS}, sender_chat=_GROUP)},
    {"message": _message(_GROUP, **_DOCUMENT, reply_to_message=_message(_GROUP, text="x"))},
    {"message": _message(**_DOCUMENT, caption="/paint a kite")},
    {"message": _command("/paint") | {"reply_to_message": _message(**_DOCUMENT)}},
    {"message": _message(_GROUP, new_chat_members=[_ADA])},
    {
        "message": _message(
            forward_origin={"type": "user", "date": 1, "sender_user": _ADA}, **_PHOTO
        )
    },
    *({"message": _command(f"/{name}")} for name in ("start", "status", "history", "cancel", "x")),
    {"message": _command("/cancel", _GROUP)},
    {"edited_message": _message(**_PHOTO, edit_date=1_700_000_001)},
    {"channel_post": _message(_CHANNEL, **_PHOTO, sender_chat=_CHANNEL)},
    {"edited_channel_post": _message(_CHANNEL, text="x", sender_chat=_CHANNEL)},
    {"business_message": _message(text="x", business_connection_id="b")},
    *(
        {"callback_query": _press(data)}
        for data in (
            f"c:{'0' * 32}",
            "h:1001:",
            f"o:1001:{'0' * 32}",
            "h:1001:someones-own-cursor",
            f"o:{_GROUP['id']}:{'0' * 32}",
            "w",
            "f:1001:7",
            "f:1001:8",
            "what",
        )
    ),
    {"inline_query": {"id": "1", "from": _ADA, "query": "cat", "offset": ""}},
    {"chosen_inline_result": {"result_id": "1", "from": _ADA, "query": "cat"}},
    {
        "my_chat_member": {
            "chat": _GROUP,
            "from": _ADA,
            "date": 1,
            "old_chat_member": _MEMBER | {"status": "left"},
            "new_chat_member": _MEMBER,
        }
    },
    {
        "chat_member": {
            "chat": _GROUP,
            "from": _ADA,
            "date": 1,
            "old_chat_member": _MEMBER,
            "new_chat_member": _MEMBER | {"status": "left"},
        }
    },
    {"chat_join_request": {"chat": _GROUP, "from": _ADA, "user_chat_id": 1001, "date": 1}},
    {"poll_answer": {"poll_id": "1", "user": _ADA, "option_ids": [0]}},
    {"shipping_query": {"id": "1", "from": _ADA, "invoice_payload": "x", "shipping_address": {}}},
    {
        "message_reaction": {
            "chat": _GROUP,
            "message_id": 1,
            "user": _ADA,
            "date": 1,
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": "👍"}],
        }
    },
    {"a_kind_of_next_year": {"id": "1"}},
)
"""One update of each kind and of each shape that the bot looks at, without its number."""

_STRINGS: Final = (
    "", " ", "\x00", "\ud83d", "🐈" * 40, "a" * 5000, "/cancel", "/start@Lookalike", "null", "-1",
    "٣", "\u202e", "c:" + "0" * 32, "h:-9:", "o::", "../../etc/passwd", "%s%n{}", "image/jpeg",
)  # fmt: skip
_NUMBERS: Final = (
    0, 1, -1, 2**31, 2**53, 2**63, -(2**63), 2**64, 10**80, 0.5, 1e308, float("nan"), float("inf"),
)  # fmt: skip


def _odd(dice: Random) -> Any:
    """A value of any type."""
    nested: Any = 1
    for _ in range(dice.choice((1, 5, 50))):
        nested = dice.choice(([nested], {"message": nested}))
    kinds: list[Any] = [None, True, False, [], {}, [None], nested, {"id": dice.choice(_NUMBERS)}]
    return dice.choice((dice.choice(kinds), dice.choice(_STRINGS), dice.choice(_NUMBERS)))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every object or list in a value, with each of its keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _broken_bytes(text: bytes, dice: Random) -> bytes:
    """What no parser of JSON takes, or what costs it too much."""
    return dice.choice(
        (
            text[: dice.randrange(len(text))],
            text[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            text[:-1] + b', "x": ' + b"9" * 5000 + b"}",
            text[:-1] + b', "x": "\xff\xfe"}',
        )
    )


def mutated(dice: Random) -> bytes:
    """An update that differs from one of Telegram's; it lacks its number and the first brace."""
    update: Json = json.loads(json.dumps(dice.choice(TEMPLATES)))
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        places = list(_places(update))
        if not places:
            break
        place, key = dice.choice(places)
        if dice.random() < _DELETED:
            del place[key]
        else:
            place[key] = _odd(dice)
    text = json.dumps(update).encode()
    if dice.random() < _BROKEN:
        text = _broken_bytes(text, dice)
    return b", " + text[1:] if len(text) > len("{}") else b"}"


def _good(number: int) -> bytes:
    """A photo of somebody who has sent no other."""
    chat = {"id": _FIRST_GOOD_CHAT + number, "type": "private", "first_name": "Bob"}
    sender = {"id": chat["id"], "is_bot": False, "first_name": "Bob"}
    update = {"message": _message(chat, **_PHOTO, **{"from": sender})}
    return b", " + json.dumps(update).encode()[1:]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Throw]:
    """The bot's door; a case is a hundred mutated updates, and a good photo after every ten."""
    good = itertools.count()
    async with open_bot(folder) as door:
        door.telegram.file = png.write(nothing(), {"prompt": "a cat"})

        async def throw(dice: Random) -> None:
            numbers = [next(good) for _ in range(_GOOD_ONES)]
            case = [
                update
                for number in numbers
                for update in (*(mutated(dice) for _ in range(_ODD_ONES)), _good(number))
            ]
            await door.throw(case)
            for number in numbers:
                if not await _is_recorded(door.database, number):
                    raise Broken(f"photo {number} is not recorded", b"\n".join(case))

        yield throw


async def _is_recorded(database: DatabaseClient, number: int) -> bool:
    chat = _FIRST_GOOD_CHAT + number
    request = db.GetStatusRequest(bot_id=BOT, chat_id=chat, user_id=chat)
    return len((await database.get_status(request)).items) == 1
