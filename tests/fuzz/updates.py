"""Updates of all kinds that Telegram has, and what becomes of them in the hands of a mutator.

`fuzz` pours them over the bot's door with good photos between them.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from pydantic import SecretStr
from telegram.ext import ExtBot, JobQueue
from telegram.request import HTTPXRequest

from bot import app
from bot.clients.dbservice import DatabaseClient
from bot.clients.generator import GeneratorClient
from bot.context import BotData, Context
from bot.handlers import table
from bot.messenger import Messenger
from bot.pace import EditPace
from bot.receive import Receiver
from bot.scheduler import Scheduler
from bot.services import Services
from bot.transports.kept import KeptUpdates
from bot.transports.polling import PollingTransport
from dbservice import server as dbservice
from dbservice.settings import DbserviceSettings
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import ScriptedCaptioner
from tests.bot.transports.telegram import ScriptedTelegram, scripted_telegram
from tests.sandbox.client import LOOPBACK

Json = dict[str, Any]

BOT: Final = 10001
_SERVICE_TOKEN = "the-token-between-the-services"
_BETWEEN_GOOD_ONES = 10
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


def _message(chat: Json = _PRIVATE, **fields: Any) -> Json:
    return {"message_id": 7, "date": 1_700_000_000, "chat": chat, "from": _ADA} | fields


def _command(text: str, chat: Json = _PRIVATE) -> Json:
    entities = [{"type": "bot_command", "offset": 0, "length": len(text)}]
    return _message(chat, text=text, entities=entities)


def _press(data: str) -> Json:
    shown = _message(text="Painting", **{"from": {"id": BOT, "is_bot": True, "first_name": "L"}})
    return {"id": "77", "from": _ADA, "chat_instance": "5", "data": data, "message": shown}


_MEMBER: Json = {"user": {"id": BOT, "is_bot": True, "first_name": "L"}, "status": "member"}
_ANONYMOUS: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group"}

TEMPLATES: Final[tuple[Json, ...]] = (
    {"message": _message(text="hello")},
    {"message": _message(**_PHOTO, caption="a cat", media_group_id="13")},
    {"message": _message(**_DOCUMENT, caption="@Lookalike", reply_to_message=_message(text="x"))},
    {"message": _message(_GROUP, **_PHOTO, message_thread_id=5, is_topic_message=True)},
    {"message": _message(_GROUP, **_PHOTO, **{"from": _ANONYMOUS}, sender_chat=_GROUP)},
    {"message": _message(_GROUP, **_DOCUMENT, reply_to_message=_message(_GROUP, text="x"))},
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


def _odd(random: Random) -> Any:
    """A value of any type."""
    nested: Any = 1
    for _ in range(random.choice((1, 5, 50))):
        nested = random.choice(([nested], {"message": nested}))
    kinds: list[Any] = [None, True, False, [], {}, [None], nested, {"id": random.choice(_NUMBERS)}]
    return random.choice((random.choice(kinds), random.choice(_STRINGS), random.choice(_NUMBERS)))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every object or list in a value, with each of its keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _broken_bytes(text: bytes, random: Random) -> bytes:
    """What no parser of JSON takes, or what costs it too much."""
    return random.choice(
        (
            text[: random.randrange(len(text))],
            text[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            text[:-1] + b', "x": ' + b"9" * 5000 + b"}",
            text[:-1] + b', "x": "\xff\xfe"}',
        )
    )


def mutated(random: Random) -> bytes:
    """An update that differs from one of Telegram's; it lacks its number and the first brace."""
    update: Json = json.loads(json.dumps(random.choice(TEMPLATES)))
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        places = list(_places(update))
        if not places:
            break
        place, key = random.choice(places)
        if random.random() < 0.3:
            del place[key]
        else:
            place[key] = _odd(random)
    text = json.dumps(update).encode()
    if random.random() < 0.01:
        text = _broken_bytes(text, random)
    return b", " + text[1:] if len(text) > len("{}") else b"}"


def _good(number: int) -> bytes:
    """A photo of somebody who has sent no other."""
    chat = {"id": _FIRST_GOOD_CHAT + number, "type": "private", "first_name": "Bob"}
    sender = {"id": chat["id"], "is_bot": False, "first_name": "Bob"}
    update = {"message": _message(chat, **_PHOTO, **{"from": sender})}
    return b", " + json.dumps(update).encode()[1:]


@dataclass(frozen=True)
class Report:
    """What became of a run.

    Attributes:
        seed: with which it can be repeated.
        mutated: how many odd updates there were.
        good: how many good ones.
        lost: the numbers of good ones that were not recorded.
        seconds: how long it took.
    """

    seed: int
    mutated: int
    good: int
    lost: list[int]
    seconds: float


async def fuzz(home: Path, seed: int, count: int) -> Report:
    """Pours `count` mutated updates over the bot's door, and a good one after every ten."""
    random, good = Random(seed), 0
    began = time.monotonic()
    async with scripted_telegram() as telegram, _bot(home, telegram) as (database, polling):
        for number in range(count):
            telegram.add(mutated(random))
            if number % _BETWEEN_GOOD_ONES == 0:
                telegram.add(_good(good))
                good += 1
        while not _all_taken(telegram) and not polling.done():  # noqa: ASYNC110, nobody rings
            await asyncio.sleep(0.5)
        lost = [number for number in range(good) if not await _is_recorded(database, number)]
    return Report(seed, count, good, lost, time.monotonic() - began)


def _all_taken(telegram: ScriptedTelegram) -> bool:
    """Whether the last update is confirmed."""
    return bool(telegram.polls) and telegram.polls[-1]["offset"] > len(telegram.updates)


async def _is_recorded(database: DatabaseClient, number: int) -> bool:
    chat = _FIRST_GOOD_CHAT + number
    request = db.ListHistoryRequest(bot_id=BOT, chat_id=chat, user_id=chat)
    return len((await database.list_history(request)).items) == 1


@asynccontextmanager
async def _bot(
    home: Path, telegram: ScriptedTelegram
) -> AsyncIterator[tuple[DatabaseClient, "asyncio.Task[None]"]]:
    """All of the bot that hears and answers, with a real dbservice; nobody works on the photos."""
    async with AsyncExitStack() as stack:
        settings = DbserviceSettings(
            lookalike_home=home,
            dbservice_listen="127.0.0.1:0",
            service_token=SecretStr(_SERVICE_TOKEN),
        )
        running = await stack.enter_async_context(dbservice.running(settings))
        database = DatabaseClient(running.address, _SERVICE_TOKEN)
        stack.push_async_callback(database.disconnect)
        generator = GeneratorClient("http://127.0.0.1:1", _SERVICE_TOKEN)
        stack.callback(generator.close)
        server, _, token = telegram.url.rpartition("/bot")
        request = HTTPXRequest(connection_pool_size=64, httpx_kwargs=LOOPBACK)
        bot: ExtBot[Any] = ExtBot(
            token, f"{server}/bot", request=request, get_updates_request=request
        )
        services = Services(database, generator, ScriptedCaptioner(), Messenger(bot, EditPace()))
        queue: JobQueue[Context] = JobQueue()
        data = BotData(services, Scheduler(queue, _no_tick, 10.0))
        application = app._application(bot, queue, data)
        receiver = Receiver(
            bot,
            KeptUpdates(home / "undecoded"),
            table.register(application, services),
            application.update_queue,
        )
        await application.initialize()
        stack.push_async_callback(application.shutdown)
        await application.start()
        stack.push_async_callback(application.stop)
        stop = asyncio.Event()
        polling = asyncio.create_task(PollingTransport(telegram.url).receive(receiver, stop))

        async def end() -> None:
            stop.set()
            await polling

        stack.push_async_callback(end)
        yield database, polling


async def _no_tick() -> None:
    return
