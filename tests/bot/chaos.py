"""Kills and cut answers at moments that a seed chooses, while people send photos."""

import asyncio
from dataclasses import dataclass, replace
from random import Random

import pytest

from bot import pace
from bot.captioners.base import PhotoRefused
from bot.tick import Tick
from bot.work import backoff
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.mortal import FOREVER, Process
from tests.generator import scripted

_PATIENCE = 1.0  # seconds until a fault that meets nothing is given up
_CANCELLED = db.GENERATION_STATE_CANCELLED
_METHODS = ("sendMessage", "sendMessage", "sendPhoto", "sendMediaGroup", "deleteMessage", "*")


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Has Telegram's pace, pauses and pictures take no time, which is not what this is about."""
    for module, name in (
        (pace, "_PRIVATE_SEND_SECONDS"),
        (pace, "_GROUP_SEND_SECONDS"),
        (backoff, "_LONGEST_WAIT"),
    ):
        patch.setattr(module, name, 0.05)
    patch.setattr(scripted, "png_of", lambda _task: picture("PNG"))


@dataclass(frozen=True)
class Account:
    """What became of all photos.

    Attributes:
        photos: how many were sent.
        lost: those that were not answered with a picture or with why there is none.
        doubled: messages that say again what another says.
        orphans: messages that belong to nothing: probes, status messages.
    """

    photos: int
    lost: int
    doubled: int
    orphans: int


@dataclass(frozen=True)
class _Sent:
    chat: int
    user: int
    generation_id: str


class Chaos:
    """One run; the same seed asks for the same faults."""

    def __init__(self, desk: Desk, seed: int, pictures: int = 1) -> None:
        """`pictures` are so many at once."""
        self._desk = desk
        self._pictures = pictures
        self._random = Random(seed)
        self._sent: list[_Sent] = []
        self._rooms: list[tuple[int, int]] = []

    async def run(self, faults: int) -> Account:
        """So many kills and cuts, with a photo or two for each, and then peace."""
        people = self._desk.people
        self._desk.executor.go()
        users = [await people.add_user() for _ in range(3)]
        for user in users:
            await replace(self._desk, chat=user).choose(self._pictures)
        group = await people.add_group(users)
        self._rooms = [(user, user) for user in users] + [(group, user) for user in users]
        left = faults
        while left:
            until_killed = self._random.randint(1, left)
            left -= until_killed
            process = Process(self._desk)
            async with process.ticking() as tick:
                for n in range(until_killed):
                    await self._send()
                    if n == until_killed - 1:
                        process.life.left = self._random.randint(1, 30)
                        await _while_it_ticks(tick, process.life.over)
                    else:
                        await self._cut(tick)
        await people.clear_faults()
        return await self._peace()

    async def _send(self) -> None:
        random, people = self._random, self._desk.people
        for _ in range(random.randint(1, 2)):
            chat, user = random.choice(self._rooms)
            photo = await people.send_photo(chat, picture(), user=user)
            received = await self._desk.database.receive_photo(
                db.ReceivePhotoRequest(
                    bot_id=BOT,
                    chat_id=chat,
                    message_id=photo.id,
                    user_id=user,
                    file_id=photo.photo or "",
                )
            )
            self._sent.append(_Sent(chat, user, received.item.generation.id))
        if random.random() < 0.2:
            self._desk.captioner.script.append(PhotoRefused("not this one"))
        if random.random() < 0.2:
            one = random.choice(self._sent)
            await self._desk.database.cancel_generations(
                db.CancelGenerationsRequest(
                    bot_id=BOT,
                    chat_id=one.chat,
                    user_id=one.user,
                    generation_id=one.generation_id,
                )
            )

    async def _cut(self, tick: Tick) -> None:
        people = self._desk.people
        method = self._random.choice(_METHODS)
        number = self._random.randint(1, 3)
        fault = await people.add_fault("cut", method=method, count=number)
        met = asyncio.Event()

        async def watch() -> None:
            await people.wait_for_fault(fault)
            met.set()

        watching = asyncio.create_task(watch())
        try:
            await _while_it_ticks(tick, met)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _peace(self) -> Account:
        async with Process(self._desk, FOREVER).ticking() as tick:
            while True:
                items = [await self._item(each) for each in self._sent]
                if all(item.generation.HasField("closed_at") for item in items):
                    break
                await tick.run()
                await asyncio.sleep(0.05)
        known: dict[tuple[int, int], str] = {}
        lost = doubled = orphans = 0
        shown = {
            (chat, message.id): message
            for chat in {chat for chat, _ in self._rooms}
            for message in await self._desk.people.messages(chat)
            if message.from_bot
        }
        for item in items:
            photo, generation = item.photo, item.generation
            ids = (
                photo.caption_message_id,
                generation.ending_message_id,
                generation.choices_message_id,
                generation.result_message_id,
                *(member.result_message_id for member in item.members),
            )
            keys = [(photo.chat_id, each) for each in ids if each]
            # What had no status message is cancelled by a command, which says so itself.
            is_told = generation.user_notified or generation.state == _CANCELLED
            lost += not is_told or any(key not in shown for key in keys)
            known |= dict.fromkeys(keys, generation.id)
        for key, message in shown.items():
            if key not in known:
                is_orphan = bool(message.buttons)
                orphans += is_orphan
                doubled += not is_orphan
        return Account(len(self._sent), lost, doubled, orphans)

    async def _item(self, sent: _Sent) -> db.Item:
        request = db.GetGenerationRequest(
            bot_id=BOT, chat_id=sent.chat, user_id=sent.user, generation_id=sent.generation_id
        )
        return (await self._desk.database.get_generation(request)).item


async def _while_it_ticks(tick: Tick, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            while not event.is_set():
                await tick.run()
                await asyncio.sleep(0.02)
    except TimeoutError:
        return
