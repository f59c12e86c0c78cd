"""Any end -> closed."""

import itertools
from dataclasses import replace

import pytest

from bot import keyboards
from bot.clients.errors import DatabaseUnavailable
from bot.health import Health
from bot.refusals import TelegramUnavailable
from bot.stages import close, deliver
from bot.texts import of
from bot.work import status_message
from bot.work.item import RetryLater, WorkItem
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.mortal import Killed, Process
from tests.sandbox.client import ShownMessage

EN = of("en")


async def waiting(desk: Desk) -> tuple[WorkItem, ShownMessage]:
    """A generation whose status message says something, and that message."""
    item = await desk.queued()
    await status_message.show(item, desk.services.messenger, "something")
    (status,) = await desk.messages()
    return item, status


async def the_ending(desk: Desk, item: WorkItem) -> ShownMessage:
    """The only message of the bot's: it says that it was cancelled, and is recorded as the ending.

    Words in reply to it are about this generation.
    """
    (message,) = await desk.messages()
    assert (message.text, message.photo, message.buttons) == (EN.cancelled, None, [])
    assert message.reply_to == item.photo.message_id
    request = db.GetGenerationRequest(
        bot_id=BOT, chat_id=desk.chat, user_id=desk.chat, message_id=message.id
    )
    found = await desk.database.get_generation(request)
    assert (found.item.generation.id, found.kind) == (item.id, db.MESSAGE_KIND_ENDING)
    generation = found.item.generation
    assert generation.ending_message_id == message.id
    assert generation.user_notified
    assert not generation.HasField("status_message_id")
    assert generation.HasField("closed_at")
    return message


async def cancelled(desk: Desk, item: WorkItem) -> WorkItem:
    request = db.CancelGenerationsRequest(
        bot_id=item.photo.bot_id, chat_id=desk.chat, user_id=desk.chat, generation_id=item.id
    )
    await desk.database.cancel_generations(request)
    return await desk.lease(item.id)


async def test_a_failure_is_told_in_reply_to_the_photo(desk: Desk) -> None:
    item = await desk.stored()
    await item.fail("photo-refused", "not this one")
    await close.run(item, desk.services)
    assert item.closed
    (message,) = await desk.messages()
    assert message.text == EN.ending("photo-refused")
    assert message.reply_to == item.photo.message_id


async def test_a_cancelled_job_is_deleted_and_its_status_message_says_so(desk: Desk) -> None:
    item, status = await waiting(desk)
    item = await cancelled(desk, item)
    await close.run(item, desk.services)
    assert (await the_ending(desk, item)).id == status.id
    assert (await desk.services.generator.get_job(item.id)).state == "unknown"
    assert [method for method, _ in desk.listener.sends] == ["sendMessage", "editMessageText"]


async def test_what_was_cancelled_before_it_showed_anything_is_told_in_reply(desk: Desk) -> None:
    item = await cancelled(desk, await desk.queued())
    await close.run(item, desk.services)
    await the_ending(desk, item)
    (call,) = await desk.people.calls("sendMessage")
    assert call.params["disable_notification"] == "true", "as quiet as an edit"


async def test_a_status_message_that_the_user_has_deleted_is_told_anew(desk: Desk) -> None:
    item, status = await waiting(desk)
    await desk.people.delete(status)
    item = await cancelled(desk, item)
    await close.run(item, desk.services)
    assert (await the_ending(desk, item)).id > status.id


async def test_a_preview_goes_and_words_take_its_place(desk: Desk) -> None:
    item, status = await waiting(desk)
    await desk.services.messenger.replace_picture(desk.chat, status.id, picture(), "something")
    item = await cancelled(desk, item)
    await close.run(item, desk.services)
    assert (await the_ending(desk, item)).id > status.id


async def test_while_telegram_is_away_the_status_message_waits(desk: Desk) -> None:
    item, status = await waiting(desk)
    item = await cancelled(desk, item)
    await desk.people.add_fault("http_error", method="editMessageText", status=502)
    with pytest.raises(TelegramUnavailable):
        await close.run(item, desk.services)
    await close.run(await desk.lease(item.id), desk.services)
    assert (await the_ending(desk, item)).id == status.id


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("shows", "lost"),
    [("text", False), ("preview", False), ("nothing", False), ("text", True), ("nothing", True)],
)
async def test_a_crash_between_any_two_calls_leaves_one_message_that_says_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, shows: str, *, lost: bool
) -> None:
    """What is lost is the record of the status message, with the process that sent it."""
    monkeypatch.setattr("bot.pace._PRIVATE_SEND_SECONDS", 0.0)
    for calls in itertools.count(1):
        chat = replace(desk, chat=await desk.people.add_user())
        item = await chat.queued()
        if lost:
            chat.database.refuse = lambda request: request.patch.HasField("status_message_id")
            with pytest.raises(DatabaseUnavailable):
                await status_message.show(item, chat.services.messenger, "something")
            chat.database.refuse = None
        else:
            await status_message.show(item, chat.services.messenger, "something")
        (status,) = await chat.messages()
        if shows == "preview":
            buttons = keyboards.cancel(EN, item.id)
            messenger = chat.services.messenger
            await messenger.replace_picture(chat.chat, status.id, picture(), "something", buttons)
        elif shows == "nothing":
            await chat.people.delete(status)
        item = await cancelled(chat, item)
        process = Process(chat, calls)
        try:
            await close.run(await process.lease(item.id), process.services)
        except Killed:
            request = db.GetGenerationRequest(
                bot_id=BOT, chat_id=chat.chat, user_id=chat.chat, generation_id=item.id
            )
            found = (await chat.database.get_generation(request)).item.generation
            if not found.HasField("closed_at"):
                process = Process(chat)
                await close.run(await process.lease(item.id), process.services)
            message = await the_ending(chat, item)
            assert (message.id == status.id) == (shows == "text")
        else:
            break
    assert calls > 3


async def test_after_a_delivery_there_is_nothing_to_tell(desk: Desk) -> None:
    item = await desk.finished()
    await status_message.show(item, desk.services.messenger, "something")
    await deliver.run(item, desk.services)
    await close.run(item, desk.services)
    assert item.closed
    assert await desk.texts() == []


async def test_each_picture_of_a_set_is_told_as_it_ended(desk: Desk) -> None:
    item = await desk.finished_set(4, lost=3)
    await deliver.run(item, desk.services)
    await close.run(item, desk.services)
    assert desk.listener.endings == [("failed", "gave-up")] * 3 + [("delivered", "")]


async def test_a_status_message_too_old_to_be_deleted_says_that_it_is_over(desk: Desk) -> None:
    item, _ = await waiting(desk)
    await item.fail("gave-up", "as the test says")
    await desk.people.add_fault(
        "refuse",
        method="deleteMessage",
        description="Bad Request: message can't be deleted for everyone",
    )
    await close.run(item, desk.services)
    assert item.closed
    (message,) = [message for message in await desk.messages() if message.text == EN.over]
    assert not message.buttons


async def test_who_cannot_be_reached_is_not_told(desk: Desk) -> None:
    item = await desk.stored()
    await item.advance(db.GENERATION_STATE_UNDELIVERABLE, error=db.Error(code="undeliverable"))
    await close.run(item, desk.services)
    assert item.closed
    assert await desk.messages() == []


async def test_while_the_generator_is_away_it_is_told_once_and_stays_open(desk: Desk) -> None:
    item = await cancelled(desk, await desk.queued())
    for _ in range(2):
        with pytest.raises(RetryLater):
            await close.run(await desk.lease(item.id), desk.without_generator())
    item = await desk.lease(item.id)
    await close.run(item, desk.services)
    await the_ending(desk, item)
    assert desk.services.generator_health.code == Health.OK


async def test_an_ending_whose_record_failed_is_not_told_again(desk: Desk) -> None:
    item = await desk.stored()
    await item.fail("photo-refused", "not this one")
    desk.database.refuse = lambda request: request.patch.user_notified
    with pytest.raises(DatabaseUnavailable):
        await close.run(item, desk.services)
    desk.database.refuse = None
    await close.run(await desk.lease(item.id), desk.services)
    assert len(await desk.messages()) == 1


async def test_a_status_message_whose_record_failed_says_it(desk: Desk) -> None:
    item = await desk.queued()
    desk.database.refuse = lambda request: request.patch.HasField("status_message_id")
    with pytest.raises(DatabaseUnavailable):
        await status_message.show(item, desk.services.messenger, "something")
    desk.database.refuse = None
    (status,) = await desk.messages()
    item = await cancelled(desk, item)
    await close.run(item, desk.services)
    assert (await the_ending(desk, item)).id == status.id


@pytest.mark.long
async def test_one_that_an_earlier_process_lost_is_found_and_says_it(desk: Desk) -> None:
    item = await desk.queued()
    desk.database.refuse = lambda request: request.patch.HasField("status_message_id")
    with pytest.raises(DatabaseUnavailable):
        await status_message.show(item, desk.services.messenger, "something")
    desk.database.refuse = None
    (status,) = await desk.messages()
    desk.services.memories.drop(item.id)  # with the process
    item = await cancelled(desk, item)
    await close.run(item, desk.services)
    assert (await the_ending(desk, item)).id == status.id
