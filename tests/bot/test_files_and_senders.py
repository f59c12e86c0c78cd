"""What people send and who they are: odd files, shared senders, topics, too much of it."""

from pathlib import Path

import pytest

from bot import app, captioners
from bot.clients.dbservice import DatabaseClient
from bot.clients.errors import DatabaseUnavailable, TooManyUnfinished
from generator.tasks import ModelInfo
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import Desk, open_desk, picture
from tests.bot.front import EN, NAME, message, nothing_waits, pictured, states, told
from tests.end_to_end.chats import ask, press
from tests.generator import scripted

pytestmark = pytest.mark.slow


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "media_type", "taken"),
    [
        ("IMG_0001.JPG", "application/octet-stream", True),
        ("IMG_0001", "application/octet-stream", True),
        ("IMG_0001.JPG", None, True),
        (None, None, True),
        ("photo", "IMAGE/JPEG", True),
        ("photo.jpeg", "text/plain", True),
        ("paper.pdf", "application/pdf", False),
    ],
)
async def test_a_file_that_may_be_a_photo_is_tried(
    desk: Desk,
    bot_for_all: app.RunningBot,
    name: str | None,
    media_type: str | None,
    *,
    taken: bool,
) -> None:
    assert bot_for_all.address
    desk.executor.go()
    ada = await desk.people.add_user()
    group = await desk.people.add_group([ada, desk.chat])
    file = (await desk.people.send_document(ada, picture(), "x.pdf", "application/pdf")).json
    document = file["document"] | {"file_name": name, "mime_type": media_type}
    document = {key: value for key, value in document.items() if value is not None}
    await desk.people.send_updates([message(desk.chat, text=None, document=document)])
    if taken:
        await told(desk, desk.chat, "a cat on a sofa")
    else:
        await told(desk, desk.chat, EN.cannot_use)
    in_group = message(desk.chat, text=None, document=document)
    in_group["message"]["chat"] = {"id": group, "type": "group", "title": "x"}
    await desk.people.send_updates([in_group])
    if media_type == "IMAGE/JPEG" or (name or "").lower().endswith((".jpg", ".jpeg")):
        await told(desk, group, "a cat on a sofa")
        return
    await nothing_waits(desk)
    entity = {"type": "mention", "offset": 0, "length": len(NAME)}
    named = {"caption": f"{NAME.title()} please", "caption_entities": [entity]}
    in_group["message"] |= {"message_id": 2, **named}
    await desk.people.send_updates([in_group])
    if taken:
        await told(desk, group, "a cat on a sofa")
    await nothing_waits(desk)
    assert len(await states(desk, group, desk.chat)) == taken


async def test_bytes_that_are_no_image_are_refused_in_words(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    await desk.people.send_document(desk.chat, b"what?", "thing", "application/octet-stream")
    await told(desk, desk.chat, EN.ending("unsupported-format"))


async def test_those_who_share_a_sender_share_nothing_else(
    desk: Desk, bot_for_all: app.RunningBot
) -> None:
    assert bot_for_all.address
    ada = await desk.people.add_user()
    group = await desk.people.add_group([ada, desk.chat], kind="supergroup")
    sizes = (await desk.people.send_photo(ada, picture())).json["photo"]
    chat = {"id": group, "type": "supergroup", "title": "The group"}
    shared = {"GroupAnonymousBot": 1087968824, "Channel_Bot": 136817688, "Telegram": 777000}
    senders = {group: 1087968824, -1001: 136817688, -1002: 136817688, -1003: 777000, -1004: 777000}
    for number, (sender_chat, user) in enumerate(senders.items(), start=1):
        update = message(ada, text=None, photo=sizes, chat=chat, message_id=number)
        update["message"]["from"] = {"id": user, "is_bot": True, "first_name": "x"}
        kind = "supergroup" if sender_chat == group else "channel"
        update["message"]["sender_chat"] = {"id": sender_chat, "type": kind, "title": "x"}
        await desk.people.send_updates([update])
    await nothing_waits(desk)
    for owner in senders:
        assert len(await states(desk, group, owner)) == 1
    for user in shared.values():
        assert not await states(desk, group, user)


async def test_an_administrator_may_press_what_an_anonymous_one_has_got(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people = desk.people
    ada, bob = await people.add_user("Ada"), await people.add_user("Bob")
    group = await people.add_group([ada, bob], kind="supergroup")
    await people.send_text(group, "/paint a cat", user=ada, anonymous=True)
    (status,) = await told(desk, group, "Painting")
    await people.send_text(group, "/status", user=ada, anonymous=True)
    assert await press(people, status, EN.cancel_button, user=bob) == EN.not_yours
    assert await press(people, status, EN.cancel_button, user=ada) == EN.cancelled
    desk.executor.go()
    await people.send_photo(group, picture(), caption=NAME, user=ada, anonymous=True)
    await people.wait_for(group, lambda messages: [m for m in messages if m.photo and m.buttons])
    await people.send_text(group, "/history", user=ada, anonymous=True)
    (card,) = await told(desk, group, "ust now")
    star = EN.pictures.star_button(starred=False)
    assert await press(people, card, star, user=bob) == EN.not_yours
    assert await press(people, card, star, user=ada) == EN.pictures.starred
    assert len(await people.calls("getChatAdministrators")) == 1


async def test_a_user_with_too_much_is_told_once_a_minute_and_costs_nobody_anything(
    desk: Desk, bot: app.RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_self: DatabaseClient, _request: db.ReceivePhotoRequest) -> None:
        raise TooManyUnfinished("TOO_MANY_UNFINISHED: as the test says", "TOO_MANY_UNFINISHED")

    assert bot.address
    monkeypatch.setattr(DatabaseClient, "receive_photo", refuse)
    for _ in range(10):
        await desk.people.send_photo(desk.chat, picture())
    await nothing_waits(desk)
    await told(desk, desk.chat, EN.ending("too-many-unfinished"))
    await desk.people.send_text(desk.chat, "/help")
    await told(desk, desk.chat, EN.help)
    assert (await desk.texts()).count(EN.ending("too-many-unfinished")) == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("bound", "words"),
    [("USER_MAX_MEGABYTES", EN.ending("too-much-kept")), ("MAX_MEGABYTES", EN.no_room)],
)
async def test_where_as_much_is_kept_as_may_be_photos_are_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, words: str
) -> None:
    monkeypatch.setenv(bound, "1")
    monkeypatch.setattr("dbservice.server._MEGABYTE", 1)
    monkeypatch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
    async with open_desk(tmp_path) as desk:
        monkeypatch.setattr(captioners, "create", lambda *_args, **_options: desk.captioner)
        desk.executor.go()
        async with app.running(desk.settings):
            await desk.people.send_photo(desk.chat, picture())
            await pictured(desk, desk.chat)
            for _ in range(3):
                await desk.people.send_photo(desk.chat, picture())
            await told(desk, desk.chat, words)
            await nothing_waits(desk)
            status = await ask(desk.people, desk.chat, "/status")
            assert len(await states(desk, desk.chat, desk.chat)) == 1
            assert (await desk.texts()).count(words) == 1
            assert (EN.kept_line(2000, 1) in status.text) == (bound == "USER_MAX_MEGABYTES")


async def test_photos_are_refused_in_words_while_the_disk_is_full(
    desk: Desk, bot: app.RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_self: DatabaseClient, _request: db.ReceivePhotoRequest) -> None:
        raise DatabaseUnavailable("DISK_FULL: as the test says", "DISK_FULL")

    assert bot.address
    monkeypatch.setattr(DatabaseClient, "receive_photo", refuse)
    await desk.people.send_photo(desk.chat, picture())
    await told(desk, desk.chat, EN.no_room)
    await desk.people.send_text(desk.chat, "/status")
    await told(desk, desk.chat, EN.no_work)


async def test_a_picture_is_opened_in_the_topic_of_its_photo_also_once_that_is_deleted(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    desk.executor.go()
    people = desk.people
    ada = await people.add_user("Ada")
    forum = await people.add_group([ada], kind="supergroup", forum=True)
    photo = await people.send_photo(forum, picture(), caption=NAME, user=ada, thread=7)
    await people.wait_for(forum, lambda messages: [m for m in messages if m.from_bot and m.photo])
    await people.delete(photo)
    await people.send_text(forum, "/history", user=ada)
    (card,) = await told(desk, forum, "ust now")
    assert card.thread is None
    assert await press(people, card, EN.pictures.show_button, user=ada) == EN.pictures.sending
    shown = await people.wait_for(forum, lambda messages: [m for m in messages if m.id > card.id])
    assert [(each.thread, each.reply_to) for each in shown] == [(7, None)]


async def test_a_model_with_a_long_name_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "MODEL", ModelInfo("m" * 215, 64, 72))
    monkeypatch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
    async with open_desk(tmp_path) as desk:
        monkeypatch.setattr(captioners, "create", lambda *_args, **_options: desk.captioner)
        desk.executor.go()
        async with app.running(desk.settings):
            await desk.people.send_photo(desk.chat, picture())
            (shown,) = await pictured(desk, desk.chat)
            await desk.people.press(shown, EN.pictures.recipe_button)
            await told(desk, desk.chat, f"Model: {'m' * 49}…")
