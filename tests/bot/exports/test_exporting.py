"""An export: each part comes once, whatever is cut short, and nothing of it is left."""

import itertools
import logging
from pathlib import Path

import pytest

from bot.clients.dbservice import image_info
from bot.exports.exporting import Exporting
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.chaos import hurry
from tests.bot.desk import BOT, CAPTION, Desk, lose, picture
from tests.bot.exports.packed import Unpacked, documents, unpacked
from tests.bot.front import EN
from tests.bot.mortal import FOREVER, Killed, Process
from tests.sandbox.client import ShownMessage
from tests.waiting import eventually

pytestmark = pytest.mark.slow

SMALL = 3000
"""Bytes of a part: one or two files fit in."""


def exporting_of(desk: Desk, process: Process, most: int = SMALL) -> Exporting:
    return Exporting(process.services, desk.home / "bot" / "exports", BOT, most=most)


async def under_way(desk: Desk) -> list[db.Export]:
    return [*(await desk.database.list_exports(db.ListExportsRequest(bot_id=BOT))).exports]


async def go_on(desk: Desk, process: Process, most: int = SMALL) -> None:
    """Until nobody waits for a part, or the process dies."""
    exporting = exporting_of(desk, process, most)
    try:
        while await under_way(desk):
            await exporting.answer()
            await exporting.pack()
    except Killed:
        return


async def painted(desk: Desk, user: int, side: int, *, words: str = "") -> tuple[bytes, bytes]:
    """A photo with its picture; the bytes of both."""
    sent = await desk.people.send_photo(user, picture(), user=user)
    item = await desk.receive(sent, user_text=words)
    photo, png = picture("JPEG", side, 90), picture("PNG", side, 90)
    await item.store_photo(image_info(photo, "image/jpeg", side, 90), photo)
    said = db.Caption(text=CAPTION.text, captioner="offline", model=CAPTION.model)
    await item.advance(db.GENERATION_STATE_CAPTIONED, caption=said, prompt=said.text)
    await item.advance(db.GENERATION_STATE_QUEUED)
    image = image_info(png, "image/png", side, 90)
    made = db.Picture(image=image, seed=side, model="scripted")
    await item.finalize(item.parts[0], png, picture=made)
    return photo, png


async def ask(desk: Desk, user: int) -> ShownMessage:
    sent = await desk.people.send_text(user, "/export")
    request = db.BeginExportRequest(
        bot_id=BOT, user_id=user, message_id=sent.id, language_code="en"
    )
    begun = await desk.database.begin_export(request)
    assert begun.answer == db.EXPORT_ANSWER_BEGUN
    return sent


async def said(desk: Desk, user: int) -> list[str]:
    return [m.text for m in await desk.people.messages(user) if m.from_bot and m.text]


def left_behind(desk: Desk) -> list[Path]:
    return [*(desk.home / "bot" / "exports").rglob("*")]


def assert_whole(found: Unpacked, *expected: bytes) -> None:
    assert sorted(found.files.values()) == sorted(expected)
    assert found.hashes == found.described


async def test_all_is_there_and_the_json_says_of_each_what_is_kept(desk: Desk) -> None:
    first = await painted(desk, desk.chat, 100, words="with\nmy \u2028 words")
    second = await painted(desk, desk.chat, 101)
    await desk.choose(4)
    await ask(desk, desk.chat)
    await go_on(desk, Process(desk), 48_000_000)
    found = await unpacked(desk.people, desk.chat)
    assert found.numbers == [(1, 1)]
    assert_whole(found, *first, *second)
    assert found.document["user"] == desk.chat
    assert found.document["settings"] == {"pictures": 4}
    assert found.document["owns_the_bot"] is False
    assert found.document["kept_bytes"] == sum(map(len, (*first, *second)))
    one, other = found.photos
    assert one["words"] == "with\nmy \u2028 words"
    assert one["caption"]["text"] == CAPTION.text
    assert one["chat"] == desk.chat
    (made,) = one["pictures"]
    assert (made["prompt"], made["made_with_seed"]) == (CAPTION.text, 100)
    assert (made["dial"], made["state"], made["star"]) == ("dream", "finished", False)
    assert other["pictures"][0]["file"].startswith("pictures/")
    assert await said(desk, desk.chat) == []
    assert left_behind(desk) == []


async def test_what_is_more_than_a_part_holds_comes_in_several(desk: Desk) -> None:
    pairs = [await painted(desk, desk.chat, side) for side in range(100, 105)]
    sent = await ask(desk, desk.chat)
    await go_on(desk, Process(desk))
    found = await unpacked(desk.people, desk.chat)
    count = len(found.numbers)
    assert count > 2
    assert found.numbers == [(number, count) for number in range(1, count + 1)]
    biggest = max(len(data) for data in found.files.values())
    assert all(size <= max(SMALL, biggest) + 400 for size in found.sizes[1:])
    assert_whole(found, *itertools.chain(*pairs))
    shown = documents(await desk.people.messages(desk.chat))
    assert shown[0].caption.startswith(EN.export.part(1, count))
    assert {message.reply_to for message in shown} == {sent.id}


@pytest.mark.long
async def test_killed_between_any_two_calls_each_part_comes_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    for calls in itertools.count(1):
        user = await desk.people.add_user()
        pair = await painted(desk, user, 100)
        most = len(pair[0]) + 400  # the JSON alone, and then a file
        await ask(desk, user)
        mortal = Process(desk, calls)
        await go_on(desk, mortal, most)
        has_died = mortal.life.over.is_set()
        await go_on(desk, Process(desk, FOREVER), most)
        found = await unpacked(desk.people, user)
        count = len(found.numbers)
        assert found.numbers == [(number, count) for number in range(1, count + 1)]
        assert_whole(found, *pair)
        assert await said(desk, user) == []
        assert left_behind(desk) == []
        if not has_died:
            break
    assert count > 1
    assert calls > 10


async def test_users_take_turns(desk: Desk) -> None:
    users = [desk.chat, await desk.people.add_user("Bob")]
    for user, photos in zip(users, (4, 1), strict=True):
        for side in range(photos):
            await painted(desk, user, 100 + side)
        await ask(desk, user)
    await go_on(desk, Process(desk))
    calls = await desk.people.calls("editMessageMedia")
    chats = [int(call.params["chat_id"]) for call in calls]
    of_bob = chats.count(users[1])
    assert of_bob < chats.count(users[0])
    assert chats[: 2 * of_bob] == users * of_bob


async def test_bytes_that_are_missing_are_named_and_fail_nothing(desk: Desk) -> None:
    photo, png = await painted(desk, desk.chat, 100)
    lose(desk.home, png)
    await ask(desk, desk.chat)
    await go_on(desk, Process(desk))
    found = await unpacked(desk.people, desk.chat)
    assert_whole(found, photo)
    ((made,),) = (each["pictures"] for each in found.photos)
    assert made["missing"] is True


async def test_what_goes_while_it_is_packed_fails_nothing(desk: Desk) -> None:
    """The JSON has come with the first part, and names it."""
    photo, png = await painted(desk, desk.chat, 100)
    await painted(desk, desk.chat, 101)
    await ask(desk, desk.chat)
    exporting = exporting_of(desk, Process(desk), 1)
    await exporting.answer()
    await exporting.pack()
    lose(desk.home, png)
    await go_on(desk, Process(desk))
    found = await unpacked(desk.people, desk.chat)
    assert png not in found.files.values()
    assert photo in found.files.values()
    assert len(found.files) == 3
    assert await under_way(desk) == []


async def test_a_message_that_is_deleted_is_sent_again_but_not_for_ever(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await painted(desk, desk.chat, 100)
    await ask(desk, desk.chat)
    exporting = exporting_of(desk, Process(desk))
    for _ in range(3):
        await exporting.answer()
        (shown,) = [m for m in await desk.messages() if m.text == EN.export.packing]
        await desk.people.delete(shown)
        await exporting.pack()
    await exporting.answer()
    assert await under_way(desk) == []
    assert await desk.messages() == []
    assert "deletes the messages" in caplog.text


async def test_who_has_blocked_the_bot_gets_none(desk: Desk) -> None:
    await painted(desk, desk.chat, 100)
    await ask(desk, desk.chat)
    exporting = exporting_of(desk, Process(desk))
    await exporting.answer()
    await desk.people.block(desk.chat)
    await exporting.pack()
    assert await under_way(desk) == []


async def test_while_telegram_is_away_it_waits_and_nothing_is_said_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    photo, png = await painted(desk, desk.chat, 100)
    await ask(desk, desk.chat)
    await desk.people.add_fault("http_error", method="sendMessage", status=502)
    await desk.people.add_fault("http_error", method="editMessageMedia", status=502)
    await go_on(desk, Process(desk), 48_000_000)
    assert_whole(await unpacked(desk.people, desk.chat), photo, png)
    assert await said(desk, desk.chat) == []


async def test_being_forgotten_ends_what_is_being_packed(desk: Desk) -> None:
    await painted(desk, desk.chat, 100)
    await ask(desk, desk.chat)
    held = await desk.people.add_fault("hold", method="editMessageMedia")
    exporting = exporting_of(desk, Process(desk))
    exporting.begin()
    await desk.people.wait_for_held(held, 1)
    request = db.BeginForgettingRequest(
        bot_id=BOT, user_id=desk.chat, chat_id=desk.chat, message_id=1, language_code="en"
    )
    assert (await desk.database.begin_forgetting(request)).pending

    async def is_over() -> bool | None:
        exporting.begin()
        return not await under_way(desk) or None

    await eventually(is_over)
    assert await desk.messages() == []
    assert left_behind(desk) == []
    await exporting.stop()
    await desk.people.release(held)


async def test_being_forgotten_ends_it_and_takes_its_message_along(desk: Desk) -> None:
    await painted(desk, desk.chat, 100)
    await ask(desk, desk.chat)
    exporting = exporting_of(desk, Process(desk))
    await exporting.answer()
    request = db.BeginForgettingRequest(
        bot_id=BOT, user_id=desk.chat, chat_id=desk.chat, message_id=1, language_code="en"
    )
    assert (await desk.database.begin_forgetting(request)).pending
    await exporting.pack()
    assert [message.text for message in await desk.messages()] == [EN.export.packing]
    await exporting.answer()
    assert await desk.messages() == []
    assert await under_way(desk) == []
    assert left_behind(desk) == []
