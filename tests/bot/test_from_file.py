"""/paint with a file: what is offered for which file, to whom, and what a press makes."""

import asyncio
import logging
from typing import Any

import pytest

from bot import app
from bot.callbacks import from_file_data
from bot.clients.dbservice import DatabaseClient
from bot.clients.errors import TooManyUnfinished
from bot.messages import MOST_BYTES
from bot.recipes import png
from bot.recipes.from_file import parse
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import Desk, picture
from tests.bot.front import EN, nothing_waits, pictured, press, states, told
from tests.end_to_end.chats import press as press_button
from tests.sandbox.client import Json, ShownMessage
from tests.waiting import eventually

SAID = EN.pictures

RECIPE: Json = {
    "model": "scripted",
    "prompt": "a red balloon",
    "negative_prompt": "birds",
    "preset": "faithful",
    "width": 128,
    "height": 64,
    "steps": 3,
    "guidance_scale": 2.5,
    "seed": 2**40,
    "dial": "dream",
    "style": "",
    "words": "a red balloon -- birds",
}


def file(**changed: Any) -> bytes:
    return png.write(picture("PNG"), RECIPE | changed)


def offer_of(words: str = "", **changed: Any) -> str:
    recipe = parse(RECIPE | changed, words)
    assert recipe is not None
    return SAID.offer_of_file(recipe)


async def offered(desk: Desk, chat: int, *, times: int = 1) -> ShownMessage:
    """The newest offer, once there are so many."""
    return (await told(desk, chat, "Shall I paint from this recipe?", times=times))[-1]


async def pressed(desk: Desk, offer: ShownMessage, user: int | None = None) -> str:
    return await press_button(desk.people, offer, SAID.paint_button, user=user)


async def test_what_is_offered_is_painted_and_nothing_else_of_the_file(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    desk.executor.go()
    sent = await desk.people.send_document(desk.chat, file(), caption="/paint")
    offer = await offered(desk, desk.chat)
    assert offer.reply_to == sent.id
    assert offer.text.splitlines() == [
        "Shall I paint from this recipe?",
        "",
        "Prompt: a red balloon",
        f"Seed: {2**40}",
        "Steps: 3",
        "Size: 128 x 64",
        "Painted by: scripted",
    ]
    assert await pressed(desk, offer) == SAID.coming
    (shown,) = await pictured(desk, desk.chat)
    assert (shown.reply_to, shown.caption) == (sent.id, "a red balloon")
    (task,) = desk.executor.tasks
    names = ("prompt", "negative_prompt", "preset", "width", "height", "steps", "guidance_scale")
    assert {name: getattr(task, name) for name in names} == {name: RECIPE[name] for name in names}
    assert (task.seed, task.init) == (2**40, None)
    assert offer.id not in {message.id for message in await desk.messages()}
    assert not desk.captioner.asked


async def test_what_began_with_a_photo_is_said_to_become_a_dream(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    await desk.people.send_document(desk.chat, file(dial="twin", style="oil"), caption="/paint")
    offer = await offered(desk, desk.chat)
    last = "It began with a photo, which the file doesn't have: I'd paint a Dream."
    assert offer.text.splitlines()[-1] == last


async def test_words_after_the_command_replace_those_of_the_recipe(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    desk.executor.go()
    await desk.people.send_document(desk.chat, file(style="oil"), caption="/paint a blue kite")
    offer = await offered(desk, desk.chat)
    assert offer.text == offer_of("a blue kite", style="oil")
    assert "Your words: a blue kite" in offer.text
    await pressed(desk, offer)
    (shown,) = await pictured(desk, desk.chat)
    assert shown.caption == "a blue kite\n\nOil painting"
    (task,) = desk.executor.tasks
    assert task.prompt.startswith("a blue kite, ")
    assert (task.seed, task.steps) == (2**40, 3)


async def test_a_reply_to_anybodys_file_offers_it_to_whoever_replies(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    desk.executor.go()
    people = desk.people
    ada, eve = await people.add_user("Ada"), await people.add_user("Eve")
    group = await people.add_group([ada, eve])
    sent = await people.send_document(group, file(), user=ada, caption="/paint a kite")
    hers = await offered(desk, group)
    asking = await people.send_text(group, "/paint", user=eve, reply_to=sent.id)
    other = await offered(desk, group, times=2)
    assert (hers.text, other.text) == (offer_of("a kite"), offer_of())
    assert other.reply_to == sent.id
    assert await pressed(desk, other, ada) == EN.not_yours
    assert await pressed(desk, hers, eve) == EN.not_yours
    await nothing_waits(desk)
    assert await states(desk, group, ada) == await states(desk, group, eve) == []
    assert await pressed(desk, other, eve) == SAID.coming
    (shown,) = await pictured(desk, group)
    assert (shown.reply_to, shown.caption) == (asking.id, "a red balloon")
    assert len(await states(desk, group, eve)) == 1
    assert not await states(desk, group, ada)


async def test_who_writes_in_a_groups_name_paints_in_it(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    people = desk.people
    ada, eve = await people.add_user("Ada"), await people.add_user("Eve")
    group = await people.add_group([ada, eve], kind="supergroup")
    sent = await people.send_document(group, file(), user=eve)
    await people.send_text(group, "/paint", user=ada, anonymous=True, reply_to=sent.id)
    offer = await offered(desk, group)
    assert await pressed(desk, offer, eve) == EN.not_yours
    assert await pressed(desk, offer, ada) == SAID.coming
    assert len(await states(desk, group, group)) == 1


async def test_presses_at_once_or_that_come_again_make_one_picture(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    await desk.people.send_document(desk.chat, file(), caption="/paint")
    offer = await offered(desk, desk.chat)
    fault = await desk.people.add_fault("delay", method="download", seconds=0.5)
    said = await asyncio.gather(*(pressed(desk, offer) for _ in range(3)))
    assert sorted(said) == sorted([SAID.coming, SAID.under_way, SAID.under_way])
    await desk.people.release(fault)
    data = offer.buttons[0].data
    for query in ("once more", "and again"):
        again = press(desk.chat, data, id=query, message=offer.json)
        await desk.people.send_updates([again])
        assert await answer_to(desk, query) == SAID.coming
    assert len(await states(desk, desk.chat, desk.chat)) == 1


async def test_it_is_there_after_a_restart(desk: Desk, quick: None) -> None:
    assert quick is None
    desk.executor.go()
    async with app.running(desk.settings):
        await desk.people.send_document(desk.chat, file(), caption="/paint")
        offer = await offered(desk, desk.chat)
    async with app.running(desk.settings):
        assert await pressed(desk, offer) == SAID.coming
        await pictured(desk, desk.chat)


async def test_a_file_that_is_gone_is_told(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    sent = await desk.people.send_document(desk.chat, file(), caption="/paint")
    offer = await offered(desk, desk.chat)
    assert sent.document is not None
    await desk.people.forget_file(sent.document)
    assert await pressed(desk, offer) == EN.ending("file-gone")
    assert await pressed(desk, offer) == EN.ending("file-gone"), "the offer is still there"
    await desk.people.send_text(desk.chat, "/paint", reply_to=sent.id)
    await told(desk, desk.chat, EN.ending("file-gone"))
    without = {name: value for name, value in offer.json.items() if name != "reply_to_message"}
    data = offer.buttons[0].data
    await desk.people.send_updates([press(desk.chat, data, id="deleted", message=without)])
    assert await answer_to(desk, "deleted") == EN.gone
    assert not await states(desk, desk.chat, desk.chat)


async def answer_to(desk: Desk, query: str) -> str:
    """What a press that is not the sandbox's own was answered."""

    async def look() -> str | None:
        calls = await desk.people.calls("answerCallbackQuery")
        found = [c.params["text"] for c in calls if c.params["callback_query_id"] == query]
        return found[0] if found else None

    return await eventually(look)


HOSTILE = {
    "a plain PNG": picture("PNG"),
    "no PNG": b"%PDF-1.7",
    "nothing that is text": b"\x89PNG\r\n\x1a\n" + bytes(1000),
    "no prompt": file(prompt=""),
    "a prompt that is none": file(prompt={"a": 1}),
    "20 MB of chunks": b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0iTXt\0\0\0\0" * 1_500_000,
}


@pytest.mark.long
async def test_a_file_without_a_recipe_gets_a_sentence(
    desk: Desk, bot: app.RunningBot, caplog: pytest.LogCaptureFixture
) -> None:
    assert bot.address
    assert len(SAID.no_recipe) <= 200, "as much as a toast shows"
    for name, data in HOSTILE.items():
        chat = await desk.people.add_user(name)
        sent = await desk.people.send_document(chat, data, caption="/paint")
        await told(desk, chat, SAID.no_recipe)
        await desk.people.send_text(chat, "/paint", reply_to=sent.id)
        await told(desk, chat, SAID.no_recipe, times=2)
        assert not await states(desk, chat, chat)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_odd_fields_are_left_out_and_what_is_left_is_painted(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    desk.executor.go()
    odd: Json = {"steps": 10**9, "width": 65, "height": "64", "seed": -1, "guidance_scale": 1e9}
    odd |= {"preset": "../../x", "style": "no such", "model": "m\x00\n" * 5000, "words": [1]}
    data = file(**odd, prompt="a\x00 red\x07 balloon" + " " * 3000, unheard_of=True)
    await desk.people.send_document(desk.chat, data, caption="/paint")
    await pressed(desk, await offered(desk, desk.chat))
    await pictured(desk, desk.chat)
    (task,) = desk.executor.tasks
    assert task.prompt.rstrip() == "a red balloon"
    assert (task.width, task.height, task.preset) == (64, 72, "balanced")


async def test_a_file_that_is_too_large_is_not_fetched(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    data = file() + bytes(MOST_BYTES)
    await desk.people.send_document(desk.chat, data, caption="/paint")
    await told(desk, desk.chat, EN.ending("file-too-large"))
    assert not await desk.people.calls("download")


@pytest.mark.long
async def test_a_png_is_a_photo_but_for_the_command(
    desk: Desk, bot_for_all: app.RunningBot
) -> None:
    assert bot_for_all.address
    people, name = desk.people, (await desk.people.bot())["user"]["username"]
    for caption in (None, "paint", "/painting", "a /paint", "/paint@somebody_bot"):
        chat = await people.add_user()
        group = await people.add_group([chat])
        await people.send_document(chat, file(), caption=caption)
        await told(desk, chat, "a cat on a sofa")
        await people.send_document(group, file(), user=chat, caption=caption)
        await told(desk, group, "a cat on a sofa")
    photos = len(desk.captioner.asked)
    for caption in ("/paint", f"/PAINT@{name.lower()}", f"/paint@{name}\n"):
        chat = await people.add_user()
        group = await people.add_group([chat])
        await people.send_document(group, file(), user=chat, caption=caption)
        await offered(desk, group)
        assert not await states(desk, group, chat)
    assert len(desk.captioner.asked) == photos


async def test_nobody_presses_what_a_message_does_not_offer(
    desk: Desk, bot: app.RunningBot
) -> None:
    """To be the next message's id would be to take its place."""
    assert bot.address
    people = desk.people
    sent = await people.send_document(desk.chat, file(), caption="/paint")
    offer = await offered(desk, desk.chat)
    forged = from_file_data(desk.chat, sent.id + 10)
    await people.send_updates([press(desk.chat, forged, id="forged", message=offer.json)])
    assert await answer_to(desk, "forged") == EN.gone
    assert not await states(desk, desk.chat, desk.chat)


async def test_words_in_reply_to_a_file_are_painted_alone(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    desk.executor.go()
    sent = await desk.people.send_document(desk.chat, b"%PDF-1.7", "x.pdf", "application/pdf")
    await desk.people.send_text(desk.chat, "/paint a kite", reply_to=sent.id)
    (shown,) = await pictured(desk, desk.chat)
    assert shown.caption == "a kite"


async def test_too_many_pictures_are_told_and_the_offer_stays(
    desk: Desk, bot: app.RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_self: DatabaseClient, _request: db.CreateGenerationRequest) -> None:
        raise TooManyUnfinished("TOO_MANY_UNFINISHED: as the test says", "TOO_MANY_UNFINISHED")

    assert bot.address
    await desk.people.send_document(desk.chat, file(), caption="/paint")
    offer = await offered(desk, desk.chat)
    with monkeypatch.context() as full:
        full.setattr(DatabaseClient, "create_generation", refuse)
        assert await pressed(desk, offer) == EN.ending("too-many-unfinished")
    assert await pressed(desk, offer) == SAID.coming
