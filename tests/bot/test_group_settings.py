"""What a group chooses for all that is sent there, and a style to begin with."""

import pytest

from bot import app
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, NAME, nothing_waits, pictured, told
from tests.bot.group import LT, SAID, Group
from tests.end_to_end.chats import ask, labels, next_picture, press

pytestmark = pytest.mark.slow


@pytest.mark.long
async def test_what_a_group_chooses_comes_first(desk: Desk, group: Group) -> None:
    desk.executor.go()
    people = desk.people
    own = db.UserSettings(dial=db.DIAL_COUSIN, pictures=2, style="oil")
    await desk.database.change_settings(
        db.ChangeSettingsRequest(bot_id=BOT, user_id=group.bob, settings=own)
    )
    page = await ask(people, group.id, "/settings", user=group.ada)
    assert page.text.startswith(SAID.settings)
    assert not [label for label in labels(page) if label.startswith("●")]
    dial = EN.pictures.dial_button(db.DIAL_TWIN, chosen=False)
    assert await press(people, page, dial, user=group.ada) == EN.pictures.dial(db.DIAL_TWIN)
    await press(people, page, EN.pictures.style_button, user=group.ada)
    (page,) = await told(desk, group.id, EN.settings.choose_style)
    label = EN.pictures.style_on_button("watercolour")
    assert await press(people, page, label, user=group.ada) == EN.settings.style_chosen(
        "watercolour"
    )
    assert await group.settings() == db.UserSettings(dial=db.DIAL_TWIN, style="watercolour")
    await group.answer(NAME)
    await told(desk, group.id, EN.pictures.choices)
    found = await desk.database.get_generation(
        db.GetGenerationRequest(
            bot_id=BOT, chat_id=group.id, user_id=group.bob, message_id=group.theirs.id
        )
    )
    recipe = found.item.generation.recipe
    assert (recipe.dial, recipe.style) == (db.DIAL_TWIN, "watercolour")
    assert found.item.generation.pictures == 2, "of which the group says nothing"
    (page,) = await told(desk, group.id, SAID.settings)
    assert label in labels(page)
    assert await press(people, page, SAID.reset_button, user=group.ada) == SAID.was_reset
    assert await group.settings() == db.UserSettings()


async def test_what_a_group_has_chosen_and_its_ban_follow_it_to_its_supergroup(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people = desk.people
    free, banned = [await people.add_group([desk.chat]) for _ in range(2)]
    chosen = db.UserSettings(language="lt")
    for group in (free, banned):
        await desk.database.change_settings(
            db.ChangeSettingsRequest(bot_id=BOT, user_id=group, settings=chosen)
        )
    await desk.database.ban_user(db.BanUserRequest(bot_id=BOT, user_id=banned))
    for group in (free, banned):
        successor = await people.migrate(group)
        await nothing_waits(desk)
        request = db.GetSettingsRequest(bot_id=BOT, user_id=successor)
        assert await desk.database.get_settings(request) == chosen
        assert not [each for each in await people.messages(successor) if each.from_bot]
        about = db.GetAccessRequest(bot_id=BOT, user_id=desk.chat, chat_id=successor)
        assert (await desk.database.get_access(about)).banned == (group == banned)


async def test_only_administrators_choose_for_a_group(desk: Desk, group: Group) -> None:
    people = desk.people
    refusal = await ask(people, group.id, "/settings", user=group.bob)
    assert refusal.text == SAID.administrators_only
    refusal = await ask(people, group.id, "/settings Vilnius", user=group.bob)
    assert refusal.text == SAID.administrators_only
    anonymous = await group.say("/settings Vilnius", user=group.ada, anonymous=True)
    (said,) = await told(desk, group.id, "(Vilnius)")
    assert said.reply_to == anonymous.id
    assert await group.settings() == db.UserSettings(time_zone="Europe/Vilnius")
    page = await ask(people, group.id, "/settings", user=group.ada)
    for label in labels(page):
        toast = await press(people, page, label, user=group.bob)
        assert toast == SAID.administrators_only, label
    assert await group.settings() == db.UserSettings(time_zone="Europe/Vilnius")


async def test_in_a_group_its_language_is_spoken(desk: Desk, group: Group) -> None:
    people = desk.people
    chosen = db.UserSettings(language="lt")
    await desk.database.change_settings(
        db.ChangeSettingsRequest(bot_id=BOT, user_id=group.id, settings=chosen)
    )
    assert (await ask(people, group.id, "/status", user=group.bob)).text == LT.no_work
    assert (await ask(people, group.bob, "/status")).text == EN.no_work
    desk.executor.go()
    await group.answer(NAME)
    (shown,) = await pictured(desk, group.id)
    assert LT.pictures.again_button in labels(shown)


async def test_anybody_chooses_a_style_to_begin_with(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    desk.executor.go()
    people, none = desk.people, EN.pictures.no_style_button
    for label, toast, style in (
        (EN.pictures.style_on_button("oil"), EN.settings.style_chosen("oil"), "oil"),
        (none, EN.settings.style_chosen(""), ""),
    ):
        page = await ask(people, desk.chat, "/settings")
        (button,) = [each for each in labels(page) if each in _style_buttons()]
        await press(people, page, button)
        menu = (await told(desk, desk.chat, EN.settings.choose_style))[-1]
        assert await press(people, menu, label) == toast
        sent = await people.send_photo(desk.chat, picture())
        await next_picture(people, sent)
        found = await desk.database.get_generation(
            db.GetGenerationRequest(
                bot_id=BOT, chat_id=desk.chat, user_id=desk.chat, message_id=sent.id
            )
        )
        assert found.item.generation.recipe.style == style


def _style_buttons() -> set[str]:
    return {EN.pictures.style_button, EN.pictures.style_on_button("oil")}
