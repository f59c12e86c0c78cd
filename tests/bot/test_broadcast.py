"""/broadcast and its buttons, and the menu of those who run the bot, as people see them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.callbacks import send_data
from bot.texts import of
from lookalike import ownership
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.club import serving
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, has_file, message, nothing_waits, press, told
from tests.bot.test_broadcasting import done, is_open, join, news
from tests.end_to_end.chats import labels, offering
from tests.end_to_end.chats import press as press_button
from tests.sandbox.client import ShownMessage
from tests.waiting import eventually

pytestmark = pytest.mark.slow

SAID = EN.broadcast
SETTINGS = EN.pictures.settings


@dataclass
class Club:
    """A bot with an admin, and people who have opened its chat."""

    desk: Desk
    admin: int
    members: list[int]

    async def asked(self, command: str, reply_to: int | None = None) -> ShownMessage:
        """The question of a /broadcast."""
        sent = await self.desk.people.send_text(self.admin, command, reply_to=reply_to)

        def look(messages: list[ShownMessage]) -> list[ShownMessage]:
            later = [m for m in messages if m.from_bot and m.id > sent.id]
            return [m for m in later if SAID.do_not_button in labels(m)]

        return (await self.desk.people.wait_for(self.admin, look))[0]

    async def send(self, question: ShownMessage) -> str:
        return await press_button(self.desk.people, question, labels(question)[0])

    async def ended(self, question: ShownMessage, text: str) -> None:
        """Waits until the question says so, and is closed."""

        def look(messages: list[ShownMessage]) -> bool:
            return any(m.id == question.id and m.text == text for m in messages)

        await self.desk.people.wait_for(self.admin, look)
        await eventually(self._closed)

    async def _closed(self) -> bool | None:
        return not await is_open(self.desk) or None


@pytest.fixture
async def club(desk: Desk, quick: None) -> AsyncIterator[Club]:
    assert quick is None
    members = await join(desk, 3)
    async with serving(desk, "everyone", bot_admins=frozenset({desk.chat})):
        await desk.people.send_text(desk.chat, "/start")
        await told(desk, desk.chat, EN.start)
        yield Club(desk, desk.chat, members)


async def settings_of(desk: Desk, user: int) -> db.UserSettings:
    return await desk.database.get_settings(db.GetSettingsRequest(bot_id=BOT, user_id=user))


# What is sent, and to whom.


async def test_a_text_is_shown_first_and_then_goes_to_everybody_once(club: Club) -> None:
    desk, admin = club.desk, club.admin
    question = await club.asked("/broadcast We're  <b>back</b>!")
    (shown,) = await news(desk, admin, "We're  <b>back</b>!")
    assert question.reply_to == shown.id
    assert labels(shown) == [SAID.no_news_button]
    assert question.text == SAID.question(3)
    assert labels(question) == [SAID.send_on_button(3), SAID.do_not_button]
    for user in club.members:
        assert not await news(desk, user, shown.text)
    assert await club.send(question) == SAID.sending
    await club.ended(question, done(sent=3))
    for user in club.members:
        (got,) = await news(desk, user, shown.text)
        assert labels(got) == [SAID.no_news_button]
    assert len(await news(desk, admin, shown.text)) == 1, "they have seen it"


async def test_what_is_set_in_a_text_stays(club: Club) -> None:
    text = "/broadcast 😀 see you"
    command = {"type": "bot_command", "offset": 0, "length": 10}
    bold = {"type": "bold", "offset": 14, "length": 3}
    sent = message(club.admin, text=text, entities=[command, bold])
    await club.desk.people.send_updates([sent])
    (shown,) = await told(club.desk, club.admin, "😀 see you")
    (entity,) = shown.json["entities"]
    assert (entity["type"], entity["offset"], entity["length"]) == ("bold", 3, 3)


async def test_a_reply_copies_what_it_replies_to(club: Club) -> None:
    desk, admin = club.desk, club.admin
    photo = await desk.people.send_photo(admin, picture(), caption="Our summer party")
    await has_file(desk, admin, photo)
    question = await club.asked("/broadcast", reply_to=photo.id)
    assert await club.send(question) == SAID.sending
    await club.ended(question, done(sent=3))
    for user in club.members:
        messages = await desk.people.messages(user)
        (got,) = [m for m in messages if m.from_bot and m.caption == "Our summer party"]
        assert got.photo


async def test_a_double_press_sends_once_and_nothing_else_meanwhile(club: Club) -> None:
    desk = club.desk
    first = await club.asked("/broadcast one")
    second = await club.asked("/broadcast two")
    fault = await desk.people.add_fault("hold", method="copyMessage")
    shown = message(club.admin)["message"] | {"message_id": first.id}
    pressed = press(club.admin, first.buttons[0].data, message=shown)
    last = await desk.people.last_event()
    await desk.people.send_updates([pressed, pressed])
    await desk.people.wait_for_fault(fault)
    assert await club.send(second) == SAID.another
    await desk.people.release(fault)
    await club.ended(first, done(sent=3))
    # As an update that comes again, or somebody who plays: the button is gone.
    await desk.people.send_updates([pressed])
    await nothing_waits(desk)
    assert await club.send(second) == SAID.sending
    await club.ended(second, done(sent=3))
    for text in ("one", "two"):
        assert [len(await news(desk, user, text)) for user in club.members] == [1, 1, 1]
    answers = [each.params for each in await desk.people.calls("answerCallbackQuery", last)]
    said = [each.get("text") for each in answers]
    assert said == [SAID.sending, SAID.sending, SAID.another, EN.gone, SAID.sending]


async def test_what_is_not_to_be_sent_never_is(club: Club) -> None:
    desk = club.desk
    question = await club.asked("/broadcast oops")
    await press_button(desk.people, question, SAID.do_not_button)
    (left,) = await told(desk, club.admin, SAID.not_sent)
    assert (left.id, left.buttons) == (question.id, [])
    shown = message(club.admin)["message"] | {"message_id": question.id}
    last = await desk.people.last_event()
    await desk.people.send_updates([press(club.admin, send_data(1, 3), message=shown)])
    answered = await desk.people.wait_for_call("answerCallbackQuery", after=last)
    assert answered.params["text"] == EN.gone
    for user in club.members:
        assert not await news(desk, user, "oops")


@pytest.mark.long
async def test_cancelled_under_way_it_says_how_far_it_came(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.broadcasting._AT_ONCE", 1)
    desk = club.desk
    question = await club.asked("/broadcast one")
    fault = await desk.people.add_fault("too_many_requests", method="copyMessage", retry_after=60)
    await club.send(question)
    await desk.people.wait_for_fault(fault)
    shown = await offering(desk.people, question, EN.cancel_button)
    assert shown.text == SAID.progress(db.Broadcast(total=3))
    assert await press_button(desk.people, shown, EN.cancel_button) == SAID.stopping
    await club.ended(question, SAID.summary(db.Broadcast(state=db.BROADCAST_STATE_CANCELLED)))
    for user in club.members:
        assert not await news(desk, user, "one")


async def test_nothing_to_send_and_nobody_to_send_it_to(club: Club) -> None:
    desk, admin = club.desk, club.admin
    await desk.people.send_text(admin, "/broadcast")
    await told(desk, admin, SAID.usage)
    group = await desk.people.add_group([admin, *club.members])
    await desk.people.send_text(group, "/broadcast hello", user=admin)
    await told(desk, group, SAID.in_private)
    fault = await desk.people.add_fault(
        "refuse", method="copyMessage", description="message can't be copied"
    )
    told_before = await desk.people.send_text(admin, "a quiz")
    await desk.people.send_text(admin, "/broadcast", reply_to=told_before.id)
    await desk.people.wait_for_fault(fault)
    await told(desk, admin, SAID.cannot_copy)
    for user in club.members:
        await desk.database.ban_user(db.BanUserRequest(bot_id=BOT, user_id=user))
    await desk.people.send_text(admin, "/broadcast hello")
    await told(desk, admin, SAID.nobody)


async def test_for_everybody_else_there_is_no_such_command(club: Club) -> None:
    desk, user = club.desk, club.members[0]
    await desk.people.send_text(user, "/broadcast hello")
    await told(desk, user, EN.unknown_command)
    shown = message(user)["message"]
    for data in (send_data(5, 3), "b:stop"):
        last = await desk.people.last_event()
        await desk.people.send_updates([press(user, data, message=shown)])
        answered = await desk.people.wait_for_call("answerCallbackQuery", after=last)
        assert answered.params["text"] == EN.not_yours
    assert not await is_open(desk)


# Who wants none.


async def test_who_wants_no_more_gets_none(club: Club) -> None:
    desk, (unwilling, *_) = club.desk, club.members
    question = await club.asked("/broadcast one")
    await club.send(question)
    await club.ended(question, done(sent=3))
    (got,) = await news(desk, unwilling, "one")
    assert await press_button(desk.people, got, SAID.no_news_button) == SAID.no_news
    assert not (await settings_of(desk, unwilling)).news
    other = await club.asked("/broadcast two")
    assert other.text == SAID.question(2)
    await club.send(other)
    await club.ended(other, done(sent=2, left_out=1))
    assert not await news(desk, unwilling, "two")


async def test_the_settings_have_a_switch_in_private_chats(club: Club) -> None:
    desk, (user, *_) = club.desk, club.members
    await desk.people.send_text(user, "/settings")
    (page,) = await told(desk, user, SETTINGS)
    on, off = SAID.news_on_button(wanted=True), SAID.news_on_button(wanted=False)
    assert await press_button(desk.people, page, on) == SAID.no_news
    page = await offering(desk.people, page, off)
    assert not (await settings_of(desk, user)).news
    assert await press_button(desk.people, page, off) == SAID.news
    await offering(desk.people, page, on)
    assert not (await settings_of(desk, user)).HasField("news")
    group = await desk.people.add_group([user])
    await desk.people.send_text(group, "/settings", user=user)
    (page,) = await told(desk, group, SETTINGS)
    assert on not in labels(page)


async def test_each_reads_the_button_in_their_language(club: Club) -> None:
    desk, (user, *_) = club.desk, club.members
    chosen = db.UserSettings(language="lt")
    await desk.database.change_settings(
        db.ChangeSettingsRequest(bot_id=BOT, user_id=user, settings=chosen)
    )
    question = await club.asked("/broadcast labas")
    await club.send(question)
    await club.ended(question, done(sent=3))
    (got,) = await news(desk, user, "labas")
    assert labels(got) == [of("lt").broadcast.no_news_button]


# The menu.


async def menus(desk: Desk, user: int) -> list[Any]:
    """What is set for a chat alone."""
    found = (await desk.people.bot())["commands"]
    scope = {"type": "chat", "chat_id": user}
    return [each["commands"] for each in found if each["scope"] == scope]


async def menu(desk: Desk, user: int, language: str = "en") -> None:
    """Waits until somebody is shown the commands of whoever runs the bot."""
    said = of(language)
    wanted = [
        {"command": name, "description": text}
        for name, text in (*said.commands, *said.access.commands)
    ]

    async def look() -> bool | None:
        return await menus(desk, user) == [wanted] or None

    await eventually(look)


async def test_whoever_runs_the_bot_has_a_menu_of_their_own(club: Club) -> None:
    desk = club.desk
    await menu(desk, club.admin)
    for user in club.members:
        assert await menus(desk, user) == []


@pytest.mark.long
async def test_a_new_owner_has_it_at_once_and_in_their_language(desk: Desk, quick: None) -> None:
    assert quick is None
    owner = await desk.people.add_user("Ona", language_code="lt")
    secret = ownership.new_secret(desk.home)
    async with serving(desk, "me"):
        await desk.people.send_text(owner, f"/start o_{secret}")
        await menu(desk, owner, "lt")
    async with serving(desk, "me"):
        await nothing_waits(desk)


@pytest.mark.long
async def test_an_admin_who_has_not_opened_the_chat_is_no_error(
    desk: Desk, quick: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quick is None
    monkeypatch.setattr("bot.trouble._LEARN_SECONDS", 0.1)
    late = await desk.people.add_user("Late")
    nobody = 987_654
    async with serving(desk, "me", bot_admins=frozenset({late, nobody})):
        await nothing_waits(desk)
        await desk.people.send_text(late, "/start")
        await told(desk, late, EN.start)
        await menu(desk, late)
    assert not [each for each in caplog.records if each.levelname in {"WARNING", "ERROR"}]
