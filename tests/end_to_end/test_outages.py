"""What is away comes back, and the user has to do nothing."""

import asyncio

import pytest

from lookalike.processes.stack import Stack
from tests import azure
from tests.azure import AzureServer
from tests.end_to_end.chats import (
    EN,
    NAME,
    answers,
    ask,
    cat,
    delivered,
    idle,
    pictures,
    sent_pictures,
    statuses,
    texts,
    told,
)
from tests.sandbox.client import People, ShownMessage
from tests.stack import occupied, read_log
from tests.waiting import wait_until


@pytest.mark.long
@pytest.mark.parametrize("away", ["generator", "dbservice", "bot"])
async def test_a_photo_sent_while_a_service_is_down_is_answered_later(
    people: People, stack: Stack, away: str, request: pytest.FixtureRequest
) -> None:
    chat = await people.add_user()
    assert stack.stop(away) == {away: 0}
    before = await people.last_event()
    sent = await people.send_photo(chat, cat())
    if away == "generator":
        waiting = EN.waiting("generator-unavailable")
        await people.wait_for(
            chat,
            lambda messages: [m for m in statuses(messages, sent) if m.text == waiting],
        )
        status = await ask(people, chat, "/status")
        assert waiting in status.text
    elif away == "dbservice" and not request.config.getoption("by_webhook"):
        await people.wait_for_call("getUpdates", after=before)
    stack.start(away)
    await delivered(people, sent)
    await idle(people, chat)
    assert len(pictures(await people.messages(chat), sent)) == 1


@pytest.mark.long
async def test_a_photo_sent_while_the_captioner_is_down_is_answered_later(
    people: People, vision: AzureServer
) -> None:
    vision.script.extend([azure.cut, azure.problem(503, "503", "Busy"), azure.raw(b"<html>")])
    chat = await people.add_user()
    sent = await people.send_photo(chat, cat())
    await people.wait_for(
        chat,
        lambda messages: [
            m for m in statuses(messages, sent) if m.text == EN.waiting("captioner-unavailable")
        ],
    )
    await delivered(people, sent)
    assert len(texts(await people.messages(chat), sent)) == 1


async def test_a_wrong_key_waits_for_the_operator_and_shows_in_status(
    people: People, vision: AzureServer
) -> None:
    vision.script.extend([azure.problem(401, "401", "Access denied")] * 2)
    chat = await people.add_user()
    sent = await people.send_photo(chat, cat())
    misconfigured = EN.waiting("captioner-misconfigured")
    await people.wait_for(
        chat, lambda messages: [m for m in statuses(messages, sent) if m.text == misconfigured]
    )
    assert misconfigured in (await ask(people, chat, "/status")).text
    await delivered(people, sent)
    assert misconfigured not in (await ask(people, chat, "/status")).text


async def test_a_photo_that_azure_refuses_is_told(people: People, vision: AzureServer) -> None:
    vision.script.append(azure.problem(400, "InvalidRequest", "Not this one"))
    chat = await people.add_user()
    sent = await people.send_photo(chat, cat())
    await told(people, sent, EN.ending("photo-refused"))


async def test_a_slow_caption_holds_up_nobody(people: People, vision: AzureServer) -> None:
    vision.script.append(azure.hang)
    slow, quick = await people.add_user("Slow"), await people.add_user("Quick")
    asked = len(vision.requests)
    held = await people.send_photo(slow, cat())
    while len(vision.requests) == asked:
        await people.events(await people.last_event(), wait=0.1)
    sent = await people.send_photo(quick, cat())
    await delivered(people, sent, seconds=25)
    assert not pictures(await people.messages(slow), held)
    await ask(people, slow, "/cancel")
    await told(people, held, EN.cancelled, seconds=10)  # and not after Azure's time is up


async def test_a_flood_warning_is_waited_out(people: People) -> None:
    chat = await people.add_user()
    for method in ("sendMessage", "sendPhoto", "editMessageText"):
        await people.add_fault("too_many_requests", method=method, retry_after=1)
    sent = await people.send_photo(chat, cat())
    await delivered(people, sent)
    messages = await people.messages(chat)
    assert (len(texts(messages, sent)), len(pictures(messages, sent))) == (1, 1)


@pytest.mark.long
async def test_telegram_failing_now_and_then_loses_nothing(people: People) -> None:
    chat = await people.add_user()
    for method in ("getFile", "download", "sendMessage", "sendPhoto", "getUpdates"):
        await people.add_fault("http_error", method=method, status=502)
    sent = await people.send_photo(chat, cat())
    await delivered(people, sent)
    await idle(people, chat)
    assert len(pictures(await people.messages(chat), sent)) == 1


@pytest.mark.long
async def test_answers_that_are_cut_double_nothing_and_lose_nothing(people: People) -> None:
    chat = await people.add_user()
    await people.add_fault("cut", method="sendPhoto")
    await people.add_fault("cut", method="sendMessage", count=5)
    sent = await people.send_photo(chat, cat())
    await delivered(people, sent, seconds=90)
    await idle(people, chat)
    messages = await people.messages(chat)
    assert [len(each) for each in (texts(messages, sent), pictures(messages, sent))] == [1, 1]
    assert not statuses(messages, sent)


async def test_a_user_who_blocks_the_bot_is_given_up_quietly(people: People) -> None:
    chat = await people.add_user()
    before = await people.last_event()
    fault = await people.add_fault("delay", method="sendPhoto", seconds=1)
    sent = await people.send_photo(chat, cat())
    await people.wait_for_fault(fault)
    await people.block(chat)
    assert (await people.wait_for_call("sendPhoto", after=before)).status == 403
    await people.unblock(chat)
    await idle(people, chat)
    assert not pictures(await people.messages(chat), sent)
    assert (await ask(people, chat, "/history")).photo


async def test_a_group_that_became_a_supergroup_is_followed(people: People) -> None:
    ada = await people.add_user("Ada")
    group = await people.add_group([ada])
    fault = await people.add_fault("too_many_requests", method="sendPhoto", retry_after=2)
    await people.send_photo(group, cat(), caption=NAME, user=ada)
    await people.wait_for_fault(fault)
    supergroup = await people.migrate(group)
    await people.wait_for(supergroup, sent_pictures)


async def test_a_photo_that_was_deleted_is_answered_all_the_same(people: People) -> None:
    chat = await people.add_user()
    fault = await people.add_fault("too_many_requests", method="sendPhoto", retry_after=1)
    sent = await people.send_photo(chat, cat())
    await people.wait_for_fault(fault)
    await people.delete(sent)
    await people.wait_for(chat, sent_pictures)


async def test_a_status_message_that_the_user_deleted_stays_deleted(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user()
    with occupied(stack):
        sent = await people.send_photo(chat, cat())
        (status,) = await people.wait_for(chat, lambda messages: statuses(messages, sent))
        await people.delete(status)
    await people.wait_for(chat, lambda messages: pictures(messages, sent))
    messages = await people.messages(chat)
    assert len([m for m in answers(messages, sent) if m.text]) == 1  # the caption alone


async def test_a_command_while_the_storage_is_away_is_answered_later(
    people: People, stack: Stack
) -> None:
    """Nobody knows meanwhile who may use the bot."""
    chat = await people.add_user()

    def refusals() -> int:
        return read_log(stack, "bot").count("Updates do not come in: ")

    before = refusals()
    stack.stop("dbservice")
    sent = await people.send_text(chat, "/history")
    await asyncio.to_thread(wait_until, lambda: refusals() > before)
    assert [message.id for message in await people.messages(chat)] == [sent.id]
    stack.start("dbservice")
    await people.wait_for(chat, lambda messages: [m for m in messages if m.text == EN.no_history])


async def test_a_wrong_token_between_the_services_loses_no_photo(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user()
    stack.stop("bot")
    stack.start("bot", SERVICE_TOKEN="a-token-that-nobody-else-has")
    sent = await people.send_photo(chat, cat())
    refused = "Updates do not come in: dbservice does not say"
    await asyncio.to_thread(wait_until, lambda: refused in read_log(stack, "bot"))
    stack.stop("bot")
    assert (await people.bot())["pending_updates"] == 1, "the update was confirmed"
    stack.start("bot")
    await delivered(people, sent)


@pytest.mark.usefixtures("polls")
async def test_a_404_to_a_poll_does_not_end_the_polling(people: People, stack: Stack) -> None:
    chat = await people.add_user()
    await people.add_fault("http_error", method="getUpdates", status=404)
    sent = await people.send_photo(chat, cat())
    await delivered(people, sent)
    assert "Updates do not come in: Telegram answers 404" in read_log(stack, "bot")


@pytest.mark.long
async def test_cancelling_while_the_generator_hangs_is_told_once(
    people: People, stack: Stack
) -> None:
    chat = await people.add_user()
    with occupied(stack):
        sent = await people.send_photo(chat, cat())
        (status,) = await people.wait_for(chat, lambda messages: statuses(messages, sent))
        stack.freeze("generator")
        try:
            answer = await people.press(status, EN.cancel_button)
            assert answer is not None
            assert answer.text == EN.cancelled
            await told_without_tidying(people, sent)
        finally:
            stack.thaw("generator")
    await idle(people, chat)
    messages = await people.messages(chat)
    assert len([m for m in texts(messages, sent) if m.text == EN.cancelled]) == 1
    assert not statuses(messages, sent)


async def told_without_tidying(people: People, photo: ShownMessage) -> None:
    """The answer comes although the generator, which hangs, still has the job."""
    await people.wait_for(
        photo.chat_id,
        lambda messages: [m for m in texts(messages, photo) if m.text == EN.cancelled],
    )


async def test_a_picture_that_telegram_does_not_take_is_told(people: People, stack: Stack) -> None:
    chat = await people.add_user()
    await people.add_fault(
        "refuse", method="sendPhoto", description="not enough rights to send photos to the chat"
    )
    sent = await people.send_photo(chat, cat())
    await told(people, sent, EN.ending("picture-not-taken"))
    await idle(people, chat)
    assert (await ask(people, chat, "/history")).photo
    assert "Traceback" not in read_log(stack, "bot")


async def test_a_button_pressed_twice_is_no_fault(people: People, stack: Stack) -> None:
    chat = await people.add_user()
    for photo in await people.send_album(chat, [cat()] * 2):
        await delivered(people, photo)
    await idle(people, chat)
    card = await ask(people, chat, "/history")
    older = EN.pictures.older_button
    await asyncio.gather(*(people.press(card, older) for _ in range(2)))
    await idle(people, chat)
    assert EN.went_wrong not in {message.text for message in await people.messages(chat)}
    assert "A handler failed" not in read_log(stack, "bot")
