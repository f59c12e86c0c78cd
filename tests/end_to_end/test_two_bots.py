"""Two processes poll for one bot: the newer one works, the older one ends."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lookalike.errors import StartError
from lookalike.processes import ServiceProcess
from lookalike.processes.stack import Stack
from tests.end_to_end.chats import EN, answers, cat, delivered, idle, pictures, statuses, texts
from tests.end_to_end.conftest import IN_BOTH_WAYS
from tests.sandbox.client import People, ShownMessage
from tests.stack import occupied, read_log
from tests.waiting import eventually

SENTENCE = "A newer process works with the same TELEGRAM_BOT_TOKEN"


@asynccontextmanager
async def newer_bot(stack: Stack) -> AsyncIterator[ServiceProcess]:
    """Another process for the stack's bot."""
    environment = stack.environment | {"BOT_LISTEN": "127.0.0.1:0"}
    log = stack.log_file("newer-bot")
    bot = ServiceProcess("bot", environment, stack.home, log)
    try:
        await asyncio.to_thread(bot.address)
        yield bot
        assert bot.running
    finally:
        code = await asyncio.to_thread(bot.stop)
    assert code == 0
    assert "Traceback" not in log.read_text()


async def has_ended(stack: Stack, said: int) -> None:
    """Waits until the stack's bot has ended, and in such a way that nobody starts it again."""
    code = await asyncio.to_thread(stack.process("bot").wait, 20)
    assert code == StartError.EXIT_CODE
    assert read_log(stack, "bot")[said:].count(SENTENCE) == 1


async def is_worked_on_by(stack: Stack, bot: ServiceProcess, photo: ShownMessage) -> None:
    """Waits until the photo is leased to this process."""
    query = (
        "SELECT lease_holder FROM generations JOIN photos ON photos.id = photo_id"
        " WHERE photos.chat_id = ? AND message_id = ?"
    )

    async def look() -> bool | None:
        with sqlite3.connect(stack.home / "dbservice" / "lookalike.db") as rows:
            ((holder,),) = rows.execute(query, [photo.chat_id, photo.id]).fetchall()
        rows.close()
        return f"/{bot.popen.pid}/" in holder or None

    await eventually(look, 10)


async def waits_in_line(people: People, chat: int) -> ShownMessage:
    sent = await people.send_photo(chat, cat())
    await people.wait_for(chat, lambda messages: statuses(messages, sent))
    return sent


async def is_answered_once(people: People, photo: ShownMessage) -> None:
    await delivered(people, photo)
    await idle(people, photo.chat_id)
    messages = await people.messages(photo.chat_id)
    assert len(pictures(messages, photo)) == 1
    assert len(texts(messages, photo)) == 1
    assert not statuses(messages, photo)


@pytest.mark.long
async def test_the_newer_has_the_work_at_once_and_the_older_ends(
    people: People, stack: Stack
) -> None:
    chat, said = await people.add_user(), len(read_log(stack, "bot"))
    with occupied(stack):
        before = await waits_in_line(people, chat)
        await is_worked_on_by(stack, stack.process("bot"), before)
        async with newer_bot(stack) as newer:
            await has_ended(stack, said)
            await is_worked_on_by(stack, newer, before)
            after = await waits_in_line(people, chat)
            await is_worked_on_by(stack, newer, after)
    stack.start("bot")
    await is_answered_once(people, before)
    await is_answered_once(people, after)


@pytest.mark.long
@IN_BOTH_WAYS
async def test_an_older_one_that_was_frozen_sends_nothing_when_it_wakes_up(
    people: People, stack: Stack
) -> None:
    chat, said = await people.add_user(), len(read_log(stack, "bot"))
    with occupied(stack):
        before = await waits_in_line(people, chat)
        stack.freeze("bot")
        try:
            # These are answers to its open poll, or are posted to it; and the newer gets them, too.
            asked = await people.send_text(chat, "/help")
            after = await people.send_photo(chat, cat())
            async with newer_bot(stack) as newer:
                await people.wait_for(
                    chat, lambda messages: [m for m in messages if EN.help in m.text]
                )
                await people.wait_for(chat, lambda messages: statuses(messages, after))
                await is_worked_on_by(stack, newer, before)
                stack.thaw("bot")
                await has_ended(stack, said)
                messages = await people.messages(chat)
                helped = [m for m in messages if m.from_bot and EN.help in m.text]
                assert len(helped) == 1
                assert helped[0].id > asked.id
                for photo in (before, after):
                    assert len(answers(messages, photo)) == 2, "the caption and the status"
        finally:
            stack.thaw("bot")
    stack.start("bot")
    await is_answered_once(people, before)
    await is_answered_once(people, after)
