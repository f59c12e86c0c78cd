"""/forget, /privacy and /terms as people use them."""

from pathlib import Path

import pytest

from bot import app, captioners
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, open_desk, picture
from tests.bot.front import EN, NAME, nothing_waits, pictured, states, told
from tests.end_to_end.chats import labels, press
from tests.sandbox.client import ShownMessage

pytestmark = pytest.mark.slow

SAID = EN.privacy


async def asked(desk: Desk, chat: int, user: int | None = None) -> ShownMessage:
    """The question of /forget."""
    sent = await desk.people.send_text(chat, "/forget", user=user)
    found = await told(desk, chat, SAID.forget_question)
    return next(message for message in found if message.id > sent.id)


@pytest.mark.long
async def test_it_asks_first_and_then_all_is_gone_and_they_may_begin_anew(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people, chat = desk.people, desk.chat
    group = await people.add_group([chat])
    desk.executor.go()
    for place in (chat, group):
        await people.send_photo(place, picture(), caption=NAME, user=chat)
    (shown,) = await pictured(desk, chat)
    await pictured(desk, group)
    question = await asked(desk, chat)
    assert labels(question) == [SAID.forget_button, SAID.keep_button]
    assert [button.style for button in question.buttons] == ["danger", None]
    assert await press(people, question, SAID.forget_button) == SAID.forgetting
    (done,) = await told(desk, chat, SAID.forgotten)
    assert done.id == question.id
    assert not done.buttons
    assert not [*desk.home.joinpath("dbservice", "blobs").rglob("*-*")]
    for place in (chat, group):
        assert await states(desk, place, chat) == []
    for button in (EN.pictures.again_button, EN.pictures.delete_button, EN.pictures.recipe_button):
        assert await press(people, shown, button) == EN.gone
    await people.send_photo(chat, picture())
    await pictured(desk, chat, times=2)
    assert len(await states(desk, chat, chat)) == 1


async def test_whoever_keeps_it_loses_nothing(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    desk.executor.go()
    await desk.people.send_photo(desk.chat, picture())
    await pictured(desk, desk.chat)
    question = await asked(desk, desk.chat)
    await press(desk.people, question, SAID.keep_button)
    (kept,) = await told(desk, desk.chat, SAID.kept)
    assert (kept.id, kept.buttons) == (question.id, [])
    assert len(await states(desk, desk.chat, desk.chat)) == 1


async def test_meanwhile_photos_are_refused_in_words_and_work_is_given_up(
    desk: Desk, bot: app.RunningBot
) -> None:
    """Telegram takes no edits, so that it is not over yet."""
    assert bot.address
    people, chat = desk.people, desk.chat
    await people.send_photo(chat, picture())
    (status,) = await told(desk, chat, "Painting")
    question = await asked(desk, chat)
    fault = await people.add_fault("http_error", method="editMessageText", status=502, count=1000)
    await press(people, question, SAID.forget_button)
    await people.wait_for_fault(fault)
    assert await press(people, question, SAID.forget_button) == SAID.forgetting
    assert await press(people, question, SAID.keep_button) == SAID.too_late
    await people.send_photo(chat, picture())
    await told(desk, chat, EN.ending("being-forgotten"))
    await people.wait_for(chat, lambda shown: status.id not in {each.id for each in shown})
    await people.send_text(chat, "/history")
    await told(desk, chat, EN.no_history)
    await people.clear_faults()
    await told(desk, chat, SAID.forgotten)
    await nothing_waits(desk)
    assert EN.cancelled not in await desk.texts()


async def test_nobody_forgets_somebody_else(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    people = desk.people
    ada, bob = await people.add_user("Ada"), await people.add_user("Bob")
    group = await people.add_group([ada, bob])
    question = await asked(desk, group, ada)
    for button in (SAID.forget_button, SAID.keep_button):
        assert await press(people, question, button, user=bob) == EN.not_yours
    request = db.ListForgettingsRequest(bot_id=BOT)
    assert not (await desk.database.list_forgettings(request)).forgettings
    assert await press(people, question, SAID.forget_button, user=ada) == SAID.forgetting
    await told(desk, group, SAID.forgotten)


async def test_privacy_says_what_is_so_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "30")
    async with open_desk(tmp_path) as desk:
        monkeypatch.setattr(captioners, "create", lambda *_args, **_options: desk.captioner)
        async with app.running(desk.settings):
            await desk.people.send_text(desk.chat, "/privacy")
            (said,) = await told(desk, desk.chat, "30 days, and what you star")
            assert said.text == SAID.privacy(with_azure=False, retention_days=30, url=None)
            assert "Azure" not in said.text
            await desk.people.send_text(desk.chat, "/terms")
            await told(desk, desk.chat, SAID.no_terms)


@pytest.mark.long
async def test_each_ones_first_caption_leads_to_the_terms_and_nothing_waits_for_it(
    desk: Desk, quick: None
) -> None:
    assert quick is None
    desk.executor.go()
    settings = desk.settings.model_copy(update={"bot_notice": "Be kind."})
    async with app.running(settings):
        for user in (desk.chat, await desk.people.add_user("Bob")):
            await desk.people.send_text(user, "/start")
            await told(desk, user, SAID.see_terms)
            for times in (1, 2):
                await desk.people.send_photo(user, picture())
                await told(desk, user, "a cat on a sofa\n\n(", times=times)
                await pictured(desk, user, times=times)
            (first,) = await told(desk, user, SAID.accepting)
            assert first.text.startswith("a cat on a sofa\n\n(")
        await desk.people.send_text(desk.chat, "/terms")
        await told(desk, desk.chat, "Be kind.")


async def test_privacy_leads_to_the_page_about_it(desk: Desk) -> None:
    page = "https://club.example/privacy"
    settings = desk.settings.model_copy(update={"bot_privacy_url": page})
    async with app.running(settings):
        await desk.people.send_text(desk.chat, "/privacy")
        (said,) = await told(
            desk, desk.chat, SAID.privacy(with_azure=False, retention_days=None, url=page)
        )
        assert said.text.endswith(page)


async def test_without_terms_no_caption_speaks_of_them(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    desk.executor.go()
    await desk.people.send_photo(desk.chat, picture())
    await pictured(desk, desk.chat)
    assert not [text for text in await desk.texts() if "/terms" in text and text != EN.help]
