"""Presses of buttons that are not there, as somebody who plays can make, and words to nothing."""

import pytest

from bot import app
from bot.callbacks import Action, cancel_data, picture_data
from bot.captioners.base import PhotoRefused
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, NAME, nothing_waits, pictured, press, states, told
from tests.sandbox.client import People, ShownMessage
from tests.waiting import eventually


async def picture_id(desk: Desk, shown: ShownMessage, user: int) -> str:
    request = db.GetGenerationRequest(
        bot_id=BOT, chat_id=shown.chat_id, user_id=user, message_id=shown.id
    )
    return (await desk.database.get_generation(request)).item.generation.id


async def forge(people: People, user: int, shown: ShownMessage, data: str | None) -> None:
    """Somebody presses what this message does not offer."""
    sender = {"id": user, "is_bot": False, "first_name": "Eve"}
    forged = press(shown.chat_id, data, message=shown.json, **{"from": sender})
    await people.send_updates([forged])


async def two_pictures(desk: Desk) -> tuple[int, ShownMessage, str]:
    """Ada's and Eve's pictures in a group: who Eve is, Ada's, and the id of Eve's own."""
    desk.executor.go()
    people = desk.people
    ada, eve = await people.add_user("Ada"), await people.add_user("Eve")
    group = await people.add_group([ada, eve])
    await people.send_photo(group, picture(), caption=NAME, user=ada)
    (hers,) = await pictured(desk, group)
    await people.send_photo(group, picture(), caption=NAME, user=eve)
    _, other = await pictured(desk, group, times=2)
    return eve, hers, await picture_id(desk, other, eve)


async def test_nobody_puts_buttons_under_another_ones_picture(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people, eve, hers, own = desk.people, *await two_pictures(desk)
    for action in (Action.STYLES, Action.DELETE, Action.BACK):
        await forge(people, eve, hers, picture_data(action, own))
    await nothing_waits(desk)
    (now,) = [m for m in await people.messages(hers.chat_id) if m.id == hers.id]
    assert now.buttons == hers.buttons


async def test_nobody_paints_in_another_ones_name(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    people = desk.people
    ada, eve = await people.add_user("Ada"), await people.add_user("Eve")
    group = await people.add_group([ada, eve])
    await people.send_text(group, "/status", user=ada)
    (answer,) = await told(desk, group, EN.no_work)
    assert answer.reply_to is not None
    await forge(people, eve, answer, "w")
    await nothing_waits(desk)
    assert await states(desk, group, ada) == await states(desk, group, eve) == []


async def test_nobody_deletes_a_message_by_a_cancel_button_that_is_not_there(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people, eve, hers, closed = desk.people, *await two_pictures(desk)
    await nothing_waits(desk)
    await forge(people, eve, hers, cancel_data(closed))
    await nothing_waits(desk)
    assert hers.id in {message.id for message in await people.messages(hers.chat_id)}


async def test_words_to_a_photo_that_gets_no_sentence_are_told_why(
    desk: Desk, bot: app.RunningBot, caplog: pytest.LogCaptureFixture
) -> None:
    assert bot.address
    desk.captioner.script.append(PhotoRefused("not this one"))
    photo = await desk.people.send_photo(desk.chat, picture())
    await told(desk, desk.chat, EN.ending("photo-refused"))
    await desk.people.send_text(desk.chat, "as a stamp", reply_to=photo.id)
    await told(desk, desk.chat, EN.ending("no-caption"))
    assert not [record for record in caplog.records if record.exc_info]


async def test_paint_takes_words_on_the_next_line(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    desk.executor.go()
    await desk.people.send_text(desk.chat, "/paint\na red balloon")
    (shown,) = await pictured(desk, desk.chat)
    assert shown.caption == "a red balloon"


async def test_a_second_press_on_cancel_leaves_what_the_first_has_made_of_the_message(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people, chat = desk.people, desk.chat
    await people.send_photo(chat, picture())
    (status,) = await told(desk, chat, "Painting")
    (cancel,) = status.buttons
    assert await people.press(status, cancel.text)

    async def closed() -> bool | None:
        return not await states(desk, chat, chat) or None

    await eventually(closed)
    before = await people.last_event()
    await forge(people, chat, status, cancel.data)  # it was on its way while the button went
    await people.wait_for_call("answerCallbackQuery", after=before)
    await people.send_text(chat, "/help")
    await told(desk, chat, EN.help)
    (left,) = await told(desk, chat, EN.cancelled)
    assert (left.id, left.buttons) == (status.id, [])
