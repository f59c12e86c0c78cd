"""Inline mode: one's own pictures in any chat, and the Share button that leads to one of them."""

from collections.abc import AsyncIterator

import pytest

from bot import app
from bot.callbacks import share_query
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.club import POLICIES, PRIVATE, Club, may, rules, serving
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, NAME, message, nothing_waits, pictured, states, told
from tests.sandbox.client import Offer, ShownMessage

SAID = EN.inline
WITH_BOT = pytest.mark.usefixtures("bot")


@pytest.fixture
async def bot(desk: Desk, quick: None) -> AsyncIterator[app.RunningBot]:
    """A bot that has inline mode."""
    assert quick is None
    await desk.people.set_inline_mode()
    async with app.running(desk.settings) as running:
        await desk.people.send_text(desk.chat, "/start")
        await told(desk, desk.chat, EN.start)
        yield running


async def look(desk: Desk, user: int, query: str = "", offset: str = "") -> Offer:
    offer = await desk.people.look_for(user, query, offset=offset)
    assert offer is not None
    return offer


async def painted(
    desk: Desk, words: str, *, user: int | None = None, chat: int | None = None
) -> ShownMessage:
    """A picture with these words."""
    desk.executor.go()
    owner = user or desk.chat
    caption = words if chat is None else f"{NAME} {words}"
    photo = await desk.people.send_photo(chat or owner, picture(), user=owner, caption=caption)

    def shown(messages: list[ShownMessage]) -> ShownMessage | None:
        found = [m for m in messages if m.photo and m.reply_to == photo.id and m.from_bot]
        return next((m for m in found if m.caption.startswith(words)), None)

    return await desk.people.wait_for(chat or owner, shown)


@pytest.mark.long
@WITH_BOT
async def test_ones_own_pictures_of_all_chats_are_found_by_their_sentence(desk: Desk) -> None:
    eve = await desk.people.add_user("Eve")
    group = await desk.people.add_group([desk.chat, eve])
    await painted(desk, "in snow")
    await painted(desk, "at SEA", chat=group)
    await painted(desk, "in fog", user=eve)
    await painted(desk, "in rain", user=eve, chat=group)
    both = ["at SEA, a cat on a sofa", "in snow, a cat on a sofa"]
    assert (await look(desk, desk.chat)).captions == both
    assert (await look(desk, desk.chat, "a CAT")).captions == both
    found = await look(desk, desk.chat, " Sea sofa ")
    assert found.captions == both[:1]
    assert found.json["is_personal"]
    assert found.json["cache_time"] <= 10
    assert found.button is None
    for nobodys in ("fog", "rain", "a dog", "x" * 256):
        nothing = await look(desk, desk.chat, nobodys)
        assert nothing.results == {}
        assert nothing.button == SAID.nothing_found_button
        assert nothing.json["button"]["start_parameter"] == "inline"
    assert len((await look(desk, eve)).results) == 2


@WITH_BOT
async def test_what_is_chosen_is_sent_and_not_painted_anew(desk: Desk) -> None:
    shown = await painted(desk, "in snow")
    offer = await look(desk, desk.chat)
    (result,) = offer.results
    group = await desk.people.add_group([desk.chat])
    for chat in (desk.chat, group):
        sent = await desk.people.choose(offer, result, chat)
        assert (sent.photo, sent.caption, sent.via_bot) == (shown.photo, shown.caption, True)
    await nothing_waits(desk)
    assert len(await states(desk, desk.chat, desk.chat)) == 1
    assert await states(desk, group, desk.chat) == []
    await desk.people.send_text(desk.chat, "/status")
    await told(desk, desk.chat, EN.no_work)
    assert not any(EN.cannot_use in m.text for m in await desk.people.messages(desk.chat))


@pytest.mark.long
@WITH_BOT
async def test_share_finds_its_picture_for_its_owner_alone(desk: Desk) -> None:
    await painted(desk, "in snow")
    shown = await painted(desk, "in fog")
    (query,) = [b.query for b in shown.buttons if b.text == SAID.share_button]
    assert query is not None
    assert (await look(desk, desk.chat, query)).captions == ["in fog, a cat on a sofa"]
    eve = await desk.people.add_user("Eve")
    nothing = await look(desk, eve, query)
    assert nothing.results == {}
    await desk.people.press(shown, EN.pictures.delete_button)

    def asks(messages: list[ShownMessage]) -> ShownMessage | None:
        labels = EN.pictures.delete_for_good_button
        return next((m for m in messages if labels in [b.text for b in m.buttons]), None)

    asked = await desk.people.wait_for(desk.chat, asks)
    await desk.people.press(asked, EN.pictures.delete_for_good_button)
    assert (await look(desk, desk.chat, query)).results == {}
    assert len((await look(desk, desk.chat)).results) == 1


@WITH_BOT
async def test_share_under_a_set_finds_all_of_it(desk: Desk) -> None:
    desk.executor.go()
    await desk.choose(2)
    await desk.people.send_photo(desk.chat, picture())
    (choices,) = await told(desk, desk.chat, EN.pictures.choices)
    (query,) = [b.query for b in choices.buttons if b.text == SAID.share_button]
    assert query is not None
    both = await look(desk, desk.chat, query)
    assert len(both.results) == 2
    await desk.people.press(choices, "2")
    *_, single = await pictured(desk, desk.chat, times=3)
    (query,) = [b.query for b in single.buttons if b.text == SAID.share_button]
    assert query is not None
    assert [*(await look(desk, desk.chat, query)).results] == [*both.results][1:]


async def test_without_inline_mode_there_is_no_share_button(desk: Desk, quick: None) -> None:
    assert quick is None
    async with app.running(desk.settings):
        shown = await painted(desk, "in snow")
        assert SAID.share_button not in [button.text for button in shown.buttons]


@pytest.mark.long
@WITH_BOT
async def test_pages_go_on_and_odd_offsets_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.handlers.inline._PAGE", 2)
    words = [f"number {n}" for n in range(1, 4)]
    for each in words:
        await painted(desk, each)
    found, offset = [], ""
    while True:
        offer = await look(desk, desk.chat, "number", offset)
        found += [caption.partition(",")[0] for caption in offer.captions]
        assert offer.button is None
        offset = offer.next_offset
        if not offset:
            break
    assert found == words[::-1]
    assert (await look(desk, desk.chat, "number", "no offset")).results == {}


@pytest.mark.long
@pytest.mark.parametrize("policy", POLICIES)
async def test_who_may_not_use_the_bot_finds_nothing(desk: Desk, people: Club, policy: str) -> None:
    await desk.people.set_inline_mode()
    async with serving(desk, "everyone"):  # all but who is banned have a picture
        for user, user_id in people.users.items():
            if user != "banned":
                await painted(desk, f"of {user}", user=user_id)
    async with serving(desk, policy, **rules(people)):
        for user, user_id in people.users.items():
            offer = await look(desk, user_id)
            if may(policy, user, "private"):
                assert offer.captions == [f"of {user}, a cat on a sofa"]
                continue
            assert offer.results == {}, user
            assert offer.button == (None if user == "banned" else SAID.open_chat_button)
            assert not any(PRIVATE in m.text for m in await desk.people.messages(user_id))


@WITH_BOT
async def test_whoever_is_being_forgotten_finds_nothing(desk: Desk) -> None:
    await painted(desk, "in snow")
    request = db.BeginForgettingRequest(
        bot_id=BOT, user_id=desk.chat, chat_id=desk.chat, message_id=1
    )
    await desk.database.begin_forgetting(request)
    assert (await look(desk, desk.chat)).results == {}


@WITH_BOT
async def test_one_that_is_too_late_is_a_line_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    sender = message(desk.chat)["message"]["from"]
    query = {"id": "1", "from": sender, "query": share_query("0" * 32), "offset": ""}
    last = await desk.people.last_event()
    await desk.people.send_updates([{"inline_query": query}, {"inline_query": query | {"id": 1}}])
    call = await desk.people.wait_for_call("answerInlineQuery", after=last)
    assert call.status == 400
    await desk.people.send_text(desk.chat, "/status")
    await told(desk, desk.chat, EN.no_work)
    assert "Query is too old" in caplog.text
    assert "Traceback" not in caplog.text
