"""In groups: what is for the bot, whose it is, what a group's administrators may."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from bot import app
from bot.captioners.base import PhotoRefused
from dbservice.models import photo_id
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, NAME, all_is_closed, pictured, told
from tests.bot.group import CAPTION, SAID, Group
from tests.end_to_end.chats import ask, labels, next_picture, press
from tests.sandbox.client import Json, ShownMessage

pytestmark = pytest.mark.slow


def named(name: str, at: int = 0, **more: Any) -> Json:
    return {"type": "mention", "offset": at, "length": len(name), **more}


async def text_mention(group: Group) -> None:
    entity = named("You", user={"id": BOT, "is_bot": True, "first_name": "Lookalike"})
    entity["type"] = "text_mention"
    sent = await group.photo()
    await group.raw(sent, message_id=900, caption="You there", caption_entities=[entity])


async def forwarded(group: Group) -> Json:
    """The copy of a channel's post in the group that is linked to it."""
    sent = await group.photo()
    channel = {"id": -1009, "type": "channel", "title": "The channel"}
    return await group.raw(
        sent,
        message_id=900,
        caption=NAME,
        caption_entities=[named(NAME)],
        is_automatic_forward=True,
        sender_chat=channel,
    )


async def asked_of_forwarded(group: Group) -> None:
    post = await forwarded(group)
    asking = await group.say("hello")
    await group.raw(asking, text=NAME, entities=[named(NAME)], reply_to_message=post)


Way = Callable[[Group], Awaitable[Any]]

WAYS: Mapping[str, tuple[Way, str]] = {
    # Photos.
    "a photo": (lambda g: g.photo(), ""),
    "a photo with words": (lambda g: g.photo("in oils"), ""),
    "a photo that mentions it": (lambda g: g.photo(f"{NAME} in oils"), "bob"),
    "in capitals, at the end": (lambda g: g.photo(f"in oils, {NAME.upper()}"), "bob"),
    "by a name of its own": (text_mention, "bob"),
    "a photo that mentions another": (lambda g: g.photo(f"{NAME}_too"), ""),
    "a photo with the command": (lambda g: g.photo("/paint in oils"), "bob"),
    "a photo with another's command": (lambda g: g.photo("/paint@other_bot"), ""),
    "a photo in a topic": (lambda g: g.photo(NAME, thread=7), "bob"),
    "an anonymous administrator's": (
        lambda g: g.photo(NAME, user=g.ada, anonymous=True),
        "group",
    ),
    "a photo in reply to a photo": (lambda g: g.photo(reply_to=g.theirs.id), ""),
    # Documents.
    "a document": (
        lambda g: g.desk.people.send_document(g.id, picture("PNG"), user=g.bob),
        "",
    ),
    "a document that mentions it": (
        lambda g: g.desk.people.send_document(g.id, picture("PNG"), user=g.bob, caption=NAME),
        "bob",
    ),
    # Another's photo.
    "words in reply": (lambda g: g.answer("nice"), ""),
    "a channel's post in its group": (forwarded, ""),
    "its name in reply to such a post": (asked_of_forwarded, "bob"),
    "its name in reply": (lambda g: g.answer(NAME), "bob"),
    "its name and words in reply": (lambda g: g.answer(f"{NAME} in oils"), "bob"),
    "the name of another in reply": (lambda g: g.answer("@other_bot"), ""),
    "/paint in reply": (lambda g: g.answer("/paint"), "bob"),
    "/paint and words in reply": (lambda g: g.answer(f"/paint{NAME} in oils"), "bob"),
    "another's /paint in reply": (lambda g: g.answer("/paint@other_bot"), ""),
    "another command in reply": (lambda g: g.answer(f"/privacy{NAME}"), ""),
    "an anonymous administrator asks": (
        lambda g: g.answer(NAME, user=g.ada, anonymous=True),
        "group",
    ),
    "the sender asks": (lambda g: g.answer(NAME, user=g.cleo), "cleo"),
    # Words.
    "talk": (lambda g: g.say("hello"), ""),
    "talk with its name": (lambda g: g.say(f"{NAME} hello"), ""),
    "words to paint": (lambda g: g.say("/paint a lighthouse"), "bob"),
}


@pytest.mark.long
async def test_what_is_meant_for_it_is_taken_and_nothing_else(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    desk.captioner.free.clear()
    for way, (go, owner) in WAYS.items():
        group = await Group.new(desk)
        await go(group)
        assert await group.begun() == ({owner: 1} if owner else {}), way
    groups = [chat["id"] for chat in await desk.people.chats() if chat["id"] < 0]
    silent = len([owner for _, owner in WAYS.values() if not owner])
    heard = 0
    for chat in groups:
        heard += any(message.from_bot for message in await desk.people.messages(chat))
    assert heard <= len(groups) - silent + 1, "but /privacy, which is a command"


async def test_where_it_hears_all_every_photo_is_its_senders(
    desk: Desk, bot_for_all: app.RunningBot
) -> None:
    assert bot_for_all.address
    group = await Group.new(desk)
    assert await group.begun() == {"cleo": 1}
    await group.photo("in oils")
    await group.answer("nice")
    await group.answer(NAME, user=group.ada)
    assert await group.begun() == {"cleo": 1, "bob": 1, "ada": 1}
    assert SAID.how_to not in (await ask(desk.people, group.id, "/help", user=group.bob)).text


async def test_help_says_there_how_it_is_spoken_to(desk: Desk, group: Group) -> None:
    assert SAID.how_to in (await ask(desk.people, group.id, "/help", user=group.bob)).text


@pytest.mark.long
async def test_an_album_is_taken_whole_whichever_photo_has_the_words(
    desk: Desk, group: Group
) -> None:
    desk.executor.go()
    first, second = await desk.people.send_album(group.id, [picture()] * 2, user=group.bob)
    assert await group.begun() == {}
    entities = {"caption": f"{NAME} in oils", "caption_entities": [named(NAME)]}
    await group.raw(second, message_id=901, **entities)
    assert await group.begun() == {"bob": 3}
    await group.raw(second, message_id=902)
    await group.raw(first)  # comes again
    assert await group.begun() == {"bob": 4}
    await pictured(desk, group.id, times=4)
    assert {task.prompt for task in desk.executor.tasks} == {f"in oils, {CAPTION}"}
    album = await desk.people.send_album(
        group.id, [picture()] * 2, user=group.cleo, caption=f"{NAME} in oils"
    )
    assert len(album) == 2
    assert await group.begun() == {"bob": 4, "cleo": 2}


@pytest.mark.long
async def test_who_asks_about_anothers_photo_owns_what_comes_of_it(
    desk: Desk, group: Group
) -> None:
    desk.executor.go()
    asking = await group.answer(f"{NAME} in oils", thread=7)
    shown = await next_picture(desk.people, asking)
    assert (shown.reply_to, shown.thread, shown.caption) == (asking.id, 7, f"in oils, {CAPTION}")
    (caption,) = await told(desk, group.id, "(80% sure")
    assert (caption.reply_to, caption.thread) == (asking.id, 7)
    whose: dict[str, Any] = {"bot_id": BOT, "chat_id": group.id, "message_id": group.theirs.id}
    found = await desk.database.get_generation(db.GetGenerationRequest(**whose, user_id=group.bob))
    assert found.item.photo.id == photo_id(BOT, group.id, group.theirs.id, group.bob)
    assert found.item.photo.user_id == group.bob
    await group.raw(asking)  # comes again
    await group.answer(NAME, user=group.ada)
    assert await group.begun() == {"bob": 1, "ada": 1}
    await pictured(desk, group.id, times=2)
    again = EN.pictures.again_button
    assert await press(desk.people, shown, again, user=group.cleo) == EN.not_yours
    assert await press(desk.people, shown, again, user=group.bob) == EN.pictures.coming
    assert (await ask(desk.people, group.id, "/history", user=group.cleo)).text == EN.no_history
    assert (await ask(desk.people, group.id, "/history", user=group.bob)).photo


async def test_who_asks_again_gets_another_picture_of_it(desk: Desk, group: Group) -> None:
    desk.executor.go()
    own = await group.answer("/paint", user=group.cleo)
    first = await next_picture(desk.people, own)
    whose: dict[str, Any] = {"bot_id": BOT, "chat_id": group.id, "user_id": group.cleo}
    about = db.GetGenerationRequest(**whose, message_id=group.theirs.id)
    found = await desk.database.get_generation(about)
    assert found.item.photo.id == photo_id(BOT, group.id, group.theirs.id)
    for words, said in ((NAME, CAPTION), (f"{NAME} as a stamp", f"as a stamp, {CAPTION}")):
        asking = await group.answer(words, user=group.cleo)
        shown = await next_picture(desk.people, asking)
        assert (shown.reply_to, shown.caption) == (asking.id, said)
        await group.raw(asking)
    assert await group.begun() == {"cleo": 3}
    assert first.reply_to == own.id
    assert len(desk.captioner.asked) == 1


async def test_who_asks_again_after_an_end_without_a_caption_begins_anew(
    desk: Desk, group: Group
) -> None:
    desk.executor.go()
    desk.captioner.script.append(PhotoRefused("not now"))
    first = await group.answer(NAME)
    (ending,) = await told(desk, group.id, EN.ending("photo-refused"))
    assert ending.reply_to == first.id
    await all_is_closed(desk, group.id, group.bob)
    asking = await group.answer(f"{NAME} in oils")
    shown = await next_picture(desk.people, asking)
    assert (shown.reply_to, shown.caption) == (asking.id, f"in oils, {CAPTION}")
    assert await group.begun() == {"bob": 1}


async def test_who_asks_again_after_deleting_all_gets_another_one(desk: Desk, group: Group) -> None:
    desk.executor.go()
    shown = await next_picture(desk.people, await group.answer("/paint"))
    await all_is_closed(desk, group.id, group.bob)
    whose: dict[str, Any] = {"bot_id": BOT, "chat_id": group.id, "user_id": group.bob}
    about = db.GetGenerationRequest(**whose, message_id=shown.id)
    found = (await desk.database.get_generation(about)).item.generation.id
    await desk.database.delete_generation(db.DeleteGenerationRequest(**whose, generation_id=found))
    asking = await group.answer("/paint")
    assert (await next_picture(desk.people, asking)).reply_to == asking.id


async def test_the_question_what_it_shows_is_for_who_has_asked(desk: Desk, group: Group) -> None:
    desk.executor.go()
    asking = await group.answer(NAME)
    (caption,) = await told(desk, group.id, "(80% sure")
    await press(desk.people, caption, EN.pictures.correct_button, user=group.bob)
    (question,) = await told(desk, group.id, EN.pictures.question)
    assert question.reply_to == asking.id
    for user, words in ((group.cleo, "a dog"), (group.bob, "a lynx")):
        answer = await group.say(words, user=user, reply_to=question.id)
    assert (await next_picture(desk.people, answer)).caption == "a lynx"
    assert await group.begun() == {"bob": 2}


async def test_who_is_banned_has_no_say_in_who_asks(desk: Desk, group: Group) -> None:
    await desk.database.ban_user(db.BanUserRequest(bot_id=BOT, user_id=group.cleo))
    await group.answer(NAME, user=group.cleo)
    await group.answer(NAME)
    assert await group.begun() == {"bob": 1}


@pytest.mark.long
async def test_a_cancel_of_photos_is_answered_once(desk: Desk, group: Group) -> None:
    desk.captioner.free.clear()
    for _ in range(2):
        await group.photo(NAME)
    assert await group.begun() == {"bob": 2}
    assert (await ask(desk.people, group.id, "/cancel", user=group.bob)).text == (
        EN.cancelled_some(2, 0)
    )
    await all_is_closed(desk, group.id, group.bob)
    said = [each.text for each in await desk.people.messages(group.id) if each.from_bot]
    assert said == [EN.cancelled_some(2, 0)]


async def test_answers_stay_in_their_topic(desk: Desk, group: Group) -> None:
    for command in (
        *("/start", "/help", "/status", "/history", "/paint", "/settings", "/cancel", "/privacy"),
        *("/forget", "/terms", "/settings Nowhere"),
    ):
        sent = await group.say(command, user=group.ada, thread=7)

        def look(messages: list[ShownMessage], after: int = sent.id) -> list[ShownMessage]:
            return [each for each in messages if each.from_bot and each.id > after]

        (said,) = await desk.people.wait_for(group.id, look)
        assert (said.thread, said.reply_to) == (7, sent.id), command


async def test_administrators_delete_any_picture_there(desk: Desk, group: Group) -> None:
    desk.executor.go()
    people, said = desk.people, EN.pictures
    asking = await group.answer(NAME)
    shown = await next_picture(people, asking)
    assert await press(people, shown, said.delete_button, user=group.cleo) == EN.not_yours
    assert await press(people, shown, said.again_button, user=group.ada) == EN.not_yours
    await press(people, shown, said.delete_button, user=group.ada)

    def asked(messages: list[ShownMessage]) -> list[ShownMessage]:
        return [m for m in messages if m.id == shown.id and said.keep_button in labels(m)]

    (shown,) = await people.wait_for(group.id, asked)
    await press(people, shown, said.keep_button, user=group.ada)
    (shown,) = await people.wait_for(
        group.id, lambda messages: [m for m in messages if said.again_button in labels(m)]
    )
    await press(people, shown, said.delete_button, user=group.ada)
    (shown,) = await people.wait_for(group.id, asked)
    assert await press(people, shown, said.delete_for_good_button, user=group.cleo) == EN.not_yours
    assert await press(people, shown, said.delete_for_good_button, user=group.ada) == said.deleted
    await people.wait_for(
        group.id, lambda messages: shown.id not in {message.id for message in messages}
    )
    assert (await ask(people, group.id, "/history", user=group.bob)).text == EN.no_history
