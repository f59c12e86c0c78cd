"""kill -9 at any moment of an export: the user gets it once, and nothing of it is left."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest

from lookalike.processes.stack import Stack
from tests.bot.exports.packed import documents, unpacked
from tests.end_to_end.chats import EN, cat, delivered
from tests.sandbox.client import People
from tests.waiting import eventually

SAID = EN.export

Moment = Callable[[People, int], Awaitable[None]]
"""Asks for an export and returns when the moment has come."""


async def answer_accepted(people: People, chat: int) -> None:
    """Telegram has the answer; the bot waits to hear so."""
    fault = await people.add_fault("hold", method="sendMessage", contains=SAID.packing)
    await people.send_text(chat, "/export")
    await people.wait_for_held(fault, 1)


async def during_upload(people: People, chat: int) -> None:
    fault = await people.add_fault("delay", method="editMessageMedia", seconds=60)
    await people.send_text(chat, "/export")
    await people.wait_for_fault(fault)


async def file_accepted(people: People, chat: int) -> None:
    """Telegram has the file; the bot waits to hear so."""
    fault = await people.add_fault("hold", method="editMessageMedia")
    await people.send_text(chat, "/export")
    await people.wait_for_held(fault, 1)


async def ended(stack: Stack, user: int) -> None:
    """Waits until the user's export is over."""

    async def look() -> bool | None:
        with closing(sqlite3.connect(stack.home / "dbservice" / "lookalike.db")) as rows:
            asked = "SELECT ended_at IS NOT NULL FROM exports WHERE user_id = ?"
            return rows.execute(asked, (user,)).fetchall() == [(1,)] or None

    await eventually(look, 60)


@pytest.mark.long
@pytest.mark.parametrize("victim", ["bot", "dbservice"])
@pytest.mark.parametrize(
    "moment", [answer_accepted, during_upload, file_accepted], ids=lambda moment: moment.__name__
)
async def test_it_comes_once(people: People, stack: Stack, moment: Moment, victim: str) -> None:
    chat = await people.add_user()
    await delivered(people, await people.send_photo(chat, cat()))
    await moment(people, chat)
    stack.kill(victim)
    await people.clear_faults()
    stack.start(victim)
    await ended(stack, chat)
    messages = await people.messages(chat)
    assert len(documents(messages)) == 1
    found = await unpacked(people, chat)
    assert len(found.files) == 2
    assert found.hashes == found.described
    said = {message.text for message in messages if message.from_bot}
    assert not said & {SAID.packing, SAID.next_part, "…"}
    assert not [*(stack.home / "bot" / "exports").iterdir()]
