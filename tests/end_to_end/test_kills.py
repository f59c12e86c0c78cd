"""kill -9 of any process at any moment: one picture for each photo, nothing forgotten."""

import asyncio
import io
import os
import signal
from collections.abc import Awaitable, Callable

import pytest
from PIL import Image

from bot.work.suspects import MOST_ATTEMPTS
from lookalike.processes.stack import Stack
from tests import azure
from tests.azure import AzureServer
from tests.end_to_end.chats import (
    EN,
    cat,
    delivered,
    idle,
    pictures,
    statuses,
    texts,
    told,
)
from tests.end_to_end.conftest import IN_BOTH_WAYS
from tests.sandbox.client import People, ShownMessage
from tests.stack import occupied

Moment = Callable[[People, int], Awaitable[ShownMessage]]
"""Sends a photo to a chat and returns when the moment has come."""

VICTIMS = ("bot", "dbservice", "generator")


async def update_fetched(people: People, chat: int) -> ShownMessage:
    """The update is confirmed and recorded; nothing has been done about it."""
    fault = await people.add_fault("hold", method="getFile")
    sent = await people.send_photo(chat, cat())
    await people.wait_for_fault(fault)
    return sent


async def during_download(people: People, chat: int) -> ShownMessage:
    fault = await people.add_fault("hold", method="download")
    sent = await people.send_photo(chat, cat())
    await people.wait_for_fault(fault)
    return sent


async def after_the_caption(people: People, chat: int) -> ShownMessage:
    sent = await people.send_photo(chat, cat())
    await people.wait_for(chat, lambda messages: texts(messages, sent))
    return sent


async def while_queued(people: People, chat: int) -> ShownMessage:
    other = await people.add_user("Somebody before")
    for n in range(3):
        await people.send_photo(other, cat(), caption=str(n))
    sent = await people.send_photo(chat, cat())
    await people.wait_for(chat, lambda messages: statuses(messages, sent))
    return sent


async def mid_step(people: People, chat: int) -> ShownMessage:
    # A first picture keeps the generator busy, so that this one's start is not missed.
    other = await people.add_user("Somebody before")
    await people.send_photo(other, cat())
    sent = await people.send_photo(chat, cat())
    await people.wait_for(
        chat,
        lambda messages: (
            [m for m in statuses(messages, sent) if m.text.startswith("Painting")]
            or pictures(messages, sent)
        ),
    )
    return sent


async def picture_stored(people: People, chat: int) -> ShownMessage:
    """dbservice has the picture; Telegram does not take it yet."""
    fault = await people.add_fault("too_many_requests", method="sendPhoto", retry_after=1)
    sent = await people.send_photo(chat, cat())
    await people.wait_for_fault(fault)
    return sent


MOMENTS: list[Moment] = [
    update_fetched,
    during_download,
    after_the_caption,
    while_queued,
    mid_step,
    picture_stored,
]


CASES = [
    *(("_stack", moment, victim) for moment in MOMENTS for victim in VICTIMS),
    # What an update's way in makes of a death is the bot's, but for that of whoever records it.
    *(("_stack_by_webhook", moment, "bot") for moment in MOMENTS),
    ("_stack_by_webhook", update_fetched, "dbservice"),
]


@pytest.mark.long
@pytest.mark.parametrize(
    ("stack", "moment", "victim"),
    CASES,
    ids=lambda part: getattr(part, "__name__", part),
    indirect=["stack"],
)
async def test_exactly_one_picture(
    people: People, stack: Stack, moment: Moment, victim: str
) -> None:
    chat = await people.add_user()
    sent = await moment(people, chat)
    stack.kill(victim)
    await people.clear_faults()
    stack.start(victim)
    await delivered(people, sent)
    await idle(people, chat)
    messages = await people.messages(chat)
    assert len(pictures(messages, sent)) == 1
    assert len(texts(messages, sent)) == 1
    assert not statuses(messages, sent)


async def picture_accepted(people: People, chat: int) -> tuple[ShownMessage, int]:
    """Telegram has the picture; the bot waits for its answer, which a fault holds back."""
    fault = await people.add_fault("hold", method="sendPhoto")
    sent = await people.send_photo(chat, cat())
    await people.wait_for_fault(fault)
    await people.wait_for(chat, lambda messages: pictures(messages, sent))
    return sent, fault


@pytest.mark.long
@IN_BOTH_WAYS
async def test_one_when_killed_after_telegram_accepted_the_picture(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user()
    sent, _ = await picture_accepted(people, chat)
    stack.kill("bot")
    await people.clear_faults()
    stack.start("bot")
    await idle(people, chat)
    messages = await people.messages(chat)
    assert len(pictures(messages, sent)) == 1
    assert not statuses(messages, sent)


async def test_a_picture_whose_record_failed_is_not_sent_again(
    people: People, stack: Stack
) -> None:
    """Telegram accepted it, then dbservice died: only the record is tried again."""
    chat = await people.add_user()
    sent, fault = await picture_accepted(people, chat)
    stack.kill("dbservice")
    await people.release(fault)
    stack.start("dbservice")
    await idle(people, chat)
    messages = await people.messages(chat)
    assert len(pictures(messages, sent)) == 1
    assert not statuses(messages, sent)


@pytest.mark.usefixtures("polls")
async def test_an_update_that_was_fetched_but_never_recorded_comes_again(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user()
    stack.freeze("dbservice")
    try:
        before = await people.last_event()
        sent = await people.send_photo(chat, cat())
        await people.wait_for_call("getUpdates", after=before)
        stack.kill("bot")
    finally:
        stack.thaw("dbservice")
    stack.start("bot")
    await delivered(people, sent)
    await idle(people, chat)
    assert len(pictures(await people.messages(chat), sent)) == 1


@pytest.mark.parametrize("stack", ["_stack_by_webhook"], indirect=True)
async def test_an_update_that_was_posted_but_never_recorded_comes_again(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user()
    stack.freeze("dbservice")
    try:
        fault = await people.add_fault("delay", method="delivery", seconds=0.01)
        sent = await people.send_photo(chat, cat())
        await people.wait_for_fault(fault)
        stack.kill("bot")
    finally:
        stack.thaw("dbservice")
    stack.start("bot")
    await delivered(people, sent)
    await idle(people, chat)
    assert len(pictures(await people.messages(chat), sent)) == 1


@pytest.mark.long
@pytest.mark.parametrize("kind", ["private", "group"])
async def test_a_status_message_that_could_not_be_recorded_is_found_and_removed(
    people: People, stack: Stack, kind: str
) -> None:
    """Telegram accepted it, and the bot died before it could be recorded."""
    user = await people.add_user()
    chat = user if kind == "private" else await people.add_group([user])
    fault = await people.add_fault("hold", method="sendMessage", contains=EN.cancel_button)
    sent = await people.send_text(chat, "/paint a cat", user=user)
    await people.wait_for_fault(fault)
    await people.wait_for(chat, lambda messages: statuses(messages, sent))
    stack.kill("bot")
    between = await people.send_text(chat, "What is this?", user=user)
    await people.clear_faults()
    stack.start("bot")
    await people.wait_for(chat, lambda messages: pictures(messages, sent))
    await idle(people, chat, user)
    messages = await people.messages(chat)
    assert len(pictures(messages, sent)) == 1
    assert not statuses(messages, sent)
    assert between.id in {message.id for message in messages}


async def test_a_lost_status_message_of_work_that_was_cancelled_says_so(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user()
    fault = await people.add_fault("hold", method="sendMessage", contains=EN.cancel_button)
    with occupied(stack):
        sent = await people.send_photo(chat, cat())
        await people.wait_for_fault(fault)
        (lost,) = await people.wait_for(chat, lambda messages: statuses(messages, sent))
        answer = await people.press(lost, EN.cancel_button)
        assert answer is not None
        assert answer.text == EN.cancelled
    stack.kill("bot")
    await people.clear_faults()
    stack.start("bot")
    await is_told_in_place(people, lost, sent)


async def is_told_in_place(people: People, status: ShownMessage, photo: ShownMessage) -> None:
    """Waits until a status message, and no other message, says that its picture was cancelled."""
    await told(people, photo, EN.cancelled)
    await idle(people, photo.chat_id)
    messages = await people.messages(photo.chat_id)
    assert [m.id for m in texts(messages, photo) if m.text == EN.cancelled] == [status.id]


async def test_cancelled_once_when_killed_before_that_was_recorded(
    people: People, stack: Stack
) -> None:
    """Telegram has edited the status message; the bot dies as it waits for the answer."""
    chat = await people.add_user()
    with occupied(stack):
        sent = await people.send_photo(chat, cat())
        (status,) = await people.wait_for(chat, lambda messages: statuses(messages, sent))
        fault = await people.add_fault("hold", method="editMessageText", contains=EN.cancelled)
        await people.press(status, EN.cancel_button)
        await people.wait_for_fault(fault)
    await told(people, sent, EN.cancelled)
    stack.kill("bot")
    await people.clear_faults()
    stack.start("bot")
    await is_told_in_place(people, status, sent)


@pytest.mark.long
async def test_a_photo_that_kills_the_bot_is_given_up_and_nobody_else_waits_for_it(
    people: People, stack: Stack, vision: AzureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths: list[int] = []
    look = vision._look

    def kill(body: bytes) -> azure.Answer:
        with Image.open(io.BytesIO(body)) as image:
            deadly = image.size == (321, 123)
        if deadly:
            deaths.append(stack.process("bot").popen.pid)
            os.kill(deaths[-1], signal.SIGKILL)
        return look(body)

    monkeypatch.setattr(vision, "_look", kill)
    file = io.BytesIO()
    Image.new("RGB", (321, 123)).save(file, "JPEG")
    deadly = await people.send_photo(await people.add_user(), file.getvalue())
    other = await people.send_photo(await people.add_user(), cat())
    ending = EN.ending("gave-up")
    while not [m for m in await people.messages(deadly.chat_id) if m.text == ending]:
        if not stack.process("bot").running:
            stack.process("bot").wait()
            stack.start("bot")
        await asyncio.sleep(0.05)
    await delivered(people, other)
    await idle(people, deadly.chat_id)
    # Once among others, where nobody can tell, and then alone.
    assert len(deaths) == len(set(deaths)) <= 1 + MOST_ATTEMPTS
