"""/export as people use it."""

import pytest

from bot import app
from bot.access import Standing
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.exports.packed import documents, unpacked
from tests.bot.front import EN, NAME, nothing_waits, pictured, told
from tests.end_to_end.chats import press
from tests.waiting import eventually

pytestmark = pytest.mark.slow

SAID = EN.export


async def exported(desk: Desk, chat: int) -> None:
    """Waits for the file, and until nothing is under way any more."""
    await desk.people.wait_for(chat, documents)

    async def look() -> bool | None:
        request = db.ListExportsRequest(bot_id=BOT)
        return not (await desk.database.list_exports(request)).exports or None

    await eventually(look)


@pytest.mark.long
async def test_photos_and_pictures_of_all_chats_come_to_the_private_one(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people, chat = desk.people, desk.chat
    bob = await people.add_user("Bob")
    group = await people.add_group([chat, bob])
    desk.executor.go()
    await people.send_photo(chat, picture(), caption="at night")
    await pictured(desk, chat)
    await people.send_photo(group, picture(width=200), user=chat, caption=NAME)
    await people.send_photo(group, picture(width=210), user=bob, caption=NAME)
    await pictured(desk, group, times=2)
    asked = await people.send_text(chat, "/export")
    await exported(desk, chat)
    found = await unpacked(people, chat)
    assert found.hashes == found.described
    assert len(found.files) == 4
    assert sorted(photo["chat"] for photo in found.photos) == sorted((chat, group))
    assert {photo["words"] for photo in found.photos if photo["chat"] == chat} == {"at night"}
    stored = {path.read_bytes() for path in desk.home.joinpath("dbservice/blobs").rglob("*-*")}
    assert {*found.files.values()} < stored
    (shown,) = documents(await people.messages(chat))
    assert (shown.caption, shown.reply_to) == (SAID.part(1, 1), asked.id)
    await people.send_text(chat, "/export")
    await told(desk, chat, SAID.too_soon(24))
    assert not documents(await people.messages(group))


async def test_it_is_answered_at_once_and_again_while_it_is_under_way(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people, chat = desk.people, desk.chat
    fault = await people.add_fault("delay", method="editMessageMedia", seconds=60)
    await people.send_text(chat, "/export")
    (packing,) = await told(desk, chat, SAID.packing)
    await people.wait_for_fault(fault)
    await people.send_text(chat, "/export")
    await told(desk, chat, SAID.under_way)
    await people.send_text(chat, "/cancel")
    await told(desk, chat, EN.no_work)
    await people.release(fault)
    await exported(desk, chat)
    (shown,) = documents(await people.messages(chat))
    assert shown.id == packing.id
    assert (await unpacked(people, chat)).photos == []


async def test_in_a_group_it_says_where_to_ask(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    group = await desk.people.add_group([desk.chat])
    await desk.people.send_text(group, "/export", user=desk.chat)
    await told(desk, group, SAID.in_private)
    request = db.ListExportsRequest(bot_id=BOT)
    assert not (await desk.database.list_exports(request)).exports


@pytest.mark.long
async def test_being_forgotten_meanwhile_leaves_nothing_of_it(
    desk: Desk, bot: app.RunningBot
) -> None:
    """The file is on its way to Telegram when they ask for it."""
    assert bot.address
    people, chat = desk.people, desk.chat
    desk.executor.go()
    await people.send_photo(chat, picture())
    await pictured(desk, chat)
    fault = await people.add_fault("delay", method="editMessageMedia", seconds=60)
    await people.send_text(chat, "/export")
    await told(desk, chat, SAID.packing)
    await people.wait_for_fault(fault)
    sent = await people.send_text(chat, "/forget")
    found = await told(desk, chat, EN.privacy.forget_question)
    await press(people, next(m for m in found if m.id > sent.id), EN.privacy.forget_button)
    await told(desk, chat, EN.privacy.forgotten)
    await people.clear_faults()
    messages = await people.messages(chat)
    assert not documents(messages)
    assert SAID.packing not in {message.text for message in messages}
    assert not [*(desk.home / "bot" / "exports").iterdir()]
    await people.send_text(chat, "/export")
    await exported(desk, chat)
    assert (await unpacked(people, chat)).photos == []


@pytest.mark.long
@pytest.mark.parametrize("standing", [Standing.STRANGER, Standing.BANNED])
async def test_who_may_not_use_the_bot_gets_none(
    desk: Desk, quick: None, standing: Standing
) -> None:
    assert quick is None
    people, chat = desk.people, desk.chat
    await desk.finished()
    policy = "everyone"
    if standing is Standing.STRANGER:
        policy = "me"
    else:
        await desk.database.ban_user(db.BanUserRequest(bot_id=BOT, user_id=chat))
    async with app.running(desk.settings.model_copy(update={"bot_access": policy})):
        await people.send_text(chat, "/export")
        await told(desk, chat, EN.access.refusal(standing))
        await nothing_waits(desk)
        request = db.ListExportsRequest(bot_id=BOT)
        assert not (await desk.database.list_exports(request)).exports
        assert not documents(await people.messages(chat))
