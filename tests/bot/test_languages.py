"""Whoever chooses a language is spoken to in it, by handlers and by the tick."""

import pytest

from bot import app
from bot.callbacks import Menu, menu_data
from bot.texts import of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, pictured, press, told
from tests.sandbox.client import ShownMessage

pytestmark = pytest.mark.slow

LT, DE = of("lt"), of("de-AT")


async def settings_of(desk: Desk, user: int) -> db.UserSettings:
    return await desk.database.get_settings(db.GetSettingsRequest(bot_id=BOT, user_id=user))


async def page(desk: Desk, chat: int, said: str = EN.pictures.settings) -> ShownMessage:
    """The answer to /settings."""
    await desk.people.send_text(chat, "/settings")
    return (await told(desk, chat, said))[-1]


async def opened(desk: Desk, settings: ShownMessage, button: str, text: str) -> ShownMessage:
    """The page once it says something else, after a press."""
    labels = [each.text for each in settings.buttons]
    (label,) = [each for each in labels if each.startswith(button)]
    await desk.people.press(settings, label)
    return (await told(desk, settings.chat_id, text))[-1]


async def choose(desk: Desk, chat: int, language: str) -> ShownMessage:
    """The page of the settings, after somebody who is spoken to in English has chosen."""
    menu = await opened(desk, await page(desk, chat), "🌐", EN.settings.choose_language)
    answer = await desk.people.press(menu, language)
    assert answer is not None
    return menu


async def test_everything_is_said_in_the_chosen_language(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    await choose(desk, desk.chat, "Lietuvių")
    settings = (await told(desk, desk.chat, LT.pictures.settings))[-1]
    assert LT.settings.language_button() in [each.text for each in settings.buttons]
    photo = await desk.people.send_photo(desk.chat, picture())
    await told(desk, desk.chat, "Piešiu")
    desk.executor.go()
    (shown,) = await pictured(desk, photo.chat_id)
    assert LT.pictures.again_button in [each.text for each in shown.buttons]
    answer = await desk.people.press(shown, LT.pictures.again_button)
    assert answer is not None
    assert answer.text == LT.pictures.coming


async def test_as_telegram_says_is_a_choice_as_well(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    bert = await desk.people.add_user("Bert", language_code="de")
    await desk.people.send_text(bert, "/start")
    await told(desk, bert, DE.start)
    menu = await opened(
        desk, await page(desk, bert, DE.pictures.settings), "🌐", DE.settings.choose_language
    )
    answer = await desk.people.press(menu, "English")
    assert answer is not None
    assert answer.text == EN.settings.language_chosen
    settings = (await told(desk, bert, EN.pictures.settings))[-1]
    menu = await opened(desk, settings, "🌐", EN.settings.choose_language)
    await desk.people.press(menu, EN.settings.as_telegram_button)
    await told(desk, bert, DE.pictures.settings)
    assert (await settings_of(desk, bert)).language == ""


async def test_a_time_zone_is_chosen_by_the_time_that_it_is(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    menu = await opened(desk, await page(desk, desk.chat), "🕒", EN.settings.choose_zone)
    (tokyo,) = [each.text for each in menu.buttons if each.text.endswith("Tokyo")]
    answer = await desk.people.press(menu, tokyo)
    assert answer is not None
    assert "(Tokyo)" in answer.text
    settings = (await told(desk, desk.chat, EN.pictures.settings))[-1]
    assert [each.text for each in settings.buttons][-1].endswith("Tokyo")
    assert (await settings_of(desk, desk.chat)).time_zone == "Asia/Tokyo"


@pytest.mark.long
@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("Europe/Vilnius", "Europe/Vilnius"),
        ("europe/vilnius", "Europe/Vilnius"),
        ("vilnius", "Europe/Vilnius"),
        ("New York", "America/New_York"),
        ("America/Argentina/Buenos Aires", "America/Argentina/Buenos_Aires"),
    ],
)
async def test_a_time_zone_is_written(
    desk: Desk, bot: app.RunningBot, written: str, zone: str
) -> None:
    assert bot.address
    await desk.people.send_text(desk.chat, f"/settings {written}")
    await told(desk, desk.chat, f"({EN.settings.city(zone)})")
    assert (await settings_of(desk, desk.chat)).time_zone == zone


async def test_what_is_no_time_zone_is_told(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    for written in ("Atlantis", "../../etc/passwd", "{zone}"):
        await desk.people.send_text(desk.chat, f"/settings {written}")
        await told(desk, desk.chat, EN.settings.unknown_zone(written))
    assert await settings_of(desk, desk.chat) == db.UserSettings()


async def test_the_settings_of_another_stay(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    ada, bob = await desk.people.add_user("Ada"), await desk.people.add_user("Bob")
    group = await desk.people.add_group([ada, bob])
    await desk.people.send_text(group, "/status", user=ada)
    (shown,) = await told(desk, group, EN.no_work)
    sender = {"id": bob, "is_bot": False, "first_name": "Bob"}
    forged = press(group, f"l:de:{ada}", message=shown.json, **{"from": sender})
    last = await desk.people.last_event()
    await desk.people.send_updates([forged])
    answer = await desk.people.wait_for_call("answerCallbackQuery", after=last)
    assert answer.params["text"] == EN.not_yours
    assert await settings_of(desk, ada) == db.UserSettings()


async def test_a_page_opens_in_a_message_of_the_settings_alone(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    (start,) = await told(desk, desk.chat, EN.start)
    forged = press(desk.chat, menu_data(Menu.ZONES, desk.chat), message=start.json)
    await desk.people.send_updates([forged])
    await desk.people.send_text(desk.chat, "/status")
    await told(desk, desk.chat, EN.no_work)
    assert EN.settings.choose_zone not in await desk.texts()


async def test_a_refusal_is_in_the_chosen_language(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    await choose(desk, desk.chat, "Deutsch")
    await told(desk, desk.chat, DE.pictures.settings)
    await desk.people.add_fault("refuse", method="sendMessage", description="not now")
    await desk.people.send_text(desk.chat, "/status")
    await told(desk, desk.chat, DE.went_wrong)
