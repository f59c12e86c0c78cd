"""The data of buttons, mutated, pressed by somebody whom none of them is for."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.fuzz.door import BOT, BotDoor, open_bot
from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.target import Broken, Throw
from bot.callbacks import (
    Action,
    CardAction,
    ask_data,
    cancel_data,
    card_data,
    count_data,
    dial_data,
    from_file_data,
    guess_data,
    history_data,
    picture_data,
    style_data,
)
from protos.lookalike.db.v1 import db_pb2 as db

_ADA, _BOB = 1001, 1002
_GROUP: Final = -1_002_000_000_001
_PRESSES: Final = 100  # in a case
_ANSWER_SECONDS = 20.0
_SHOWN: Final = ("sendMessage", "sendPhoto", "editMessageMedia", "deleteMessage")
"""What shows a picture of the history, or removes a message that was pressed."""


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Throw]:
    """The bot's door, and a group in which Ada waits for a picture; a case is a hundred presses."""
    numbers = itertools.count(1)
    async with open_bot(folder) as door:
        received = await door.database.receive_photo(
            db.ReceivePhotoRequest(
                bot_id=BOT, chat_id=_GROUP, message_id=7, user_id=_ADA, file_id="a-photo"
            )
        )
        generation = received.item.generation
        seeds = [
            each.encode()
            for each in (
                cancel_data(generation.id),
                *(picture_data(each, generation.id) for each in Action),
                style_data("oil", generation.id),
                guess_data(0, generation.id),
                ask_data(generation.id),
                dial_data("twin", _ADA),
                count_data(4, _ADA),
                count_data(2, _BOB),
                "w",
                from_file_data(_ADA, 7),
                from_file_data(_BOB, 7),
                *(card_data(each, _ADA, generation.id) for each in CardAction),
                *(card_data(each, _BOB, generation.id) for each in CardAction),
                history_data(_ADA, ""),
                history_data(_BOB, ""),
                history_data(_GROUP, "a-cursor"),
            )
        ]

        async def throw(dice: Random) -> None:
            case = [_press(next(numbers), _data(dice, seeds)) for _ in range(_PRESSES)]
            before = door.telegram.calls["answerCallbackQuery"]
            await door.throw(case)
            if not await _all_are_answered(door, before + _PRESSES):
                raise Broken("not every press is answered", b"\n".join(case))
            request = db.GetStatusRequest(bot_id=BOT, chat_id=_GROUP, user_id=_ADA)
            (item,) = (await door.database.get_status(request)).items
            if item.generation.state != generation.state:
                raise Broken("another has ended Ada's work", b"\n".join(case))
            if any(door.telegram.calls[method] for method in _SHOWN):
                raise Broken("another has opened Ada's picture", b"\n".join(case))

        yield throw


def _data(dice: Random, seeds: Sequence[bytes]) -> str:
    """Also a seed as it is. A text of 1 to 64 bytes, as Telegram has it; `updates` has others."""
    data = dice.choice(seeds) if dice.random() < 0.1 else mutated(dice, seeds)  # noqa: PLR2004
    return data[:64].decode("utf-8", "ignore") or "?"


def _press(number: int, data: str) -> bytes:
    sender: dict[str, Any] = {"id": _BOB, "is_bot": False, "first_name": "Bob"}
    bot: dict[str, Any] = {"id": BOT, "is_bot": True, "first_name": "L"}
    chat = {"id": _GROUP, "type": "supergroup", "title": "G"}
    shown = {"message_id": 8, "date": 1_700_000_000, "chat": chat, "from": bot, "text": "Painting"}
    query = {"id": str(number), "from": sender, "chat_instance": "5", "data": data}
    update = {"callback_query": query | {"message": shown}}
    return b", " + json.dumps(update).encode()[1:]


async def _all_are_answered(door: BotDoor, count: int) -> bool:
    """Whether so many presses come to be answered; handlers run after the update is confirmed."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            while door.telegram.calls["answerCallbackQuery"] < count:  # noqa: ASYNC110, nobody rings
                await asyncio.sleep(0.01)
    except TimeoutError:
        return False
    return True
