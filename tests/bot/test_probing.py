"""Finding what a process that died may have sent: near what was known, or near the end."""

import pytest
from telegram import Message

from bot.probing import find
from tests.bot.chaos import hurry
from tests.bot.desk import Desk
from tests.bot.front import EN


async def test_it_is_looked_for_from_both_ends_and_not_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    monkeypatch.setattr("bot.probing._ASKED", 3)
    messenger = desk.services.messenger
    await desk.people.send_text(desk.chat, "hello")
    bob = await desk.people.add_user("Bob")
    sent = []
    for text in ("first", "between", "last"):
        sent.append(await messenger.reply(desk.chat, None, text))
        for _ in range(5):  # others' messages have ids of the same count
            await desk.people.send_text(bob, "hello")
    first, _, last = sent
    ids = range(first.message_id, last.message_id + 1)

    async def found(text: str) -> int | None:
        def is_it(message: Message) -> bool:
            return message.text == text

        return await find(messenger, desk.chat, ids, is_it, EN.over)

    assert await found("first") == first.message_id
    assert await found("last") == last.message_id
    before = len(await desk.people.calls("sendMessage"))
    assert await found("between") is None
    assert len(await desk.people.calls("sendMessage")) == before + 6
