"""A user's pictures of all chats, found by what they say."""

from itertools import pairwise
from typing import Any

import grpc
import pytest

from dbservice.models import photo_id
from dbservice.transactions import finding
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CHAT, USER, Client, refusal

DELIVERED = db.GENERATION_STATE_DELIVERED


async def delivered(
    client: Client,
    message_id: int,
    words: str = "",
    *,
    user: int = USER,
    chat: int = CHAT,
    caption: str = "a cat",
    file_id: str = "sent",
) -> str:
    """A picture that Telegram has; gives its id."""
    item = (await client.receive(message_id, user=user, chat=chat, user_text=words)).item
    key = item.generation.id
    lease = next(each for each in await client.lease() if each.item.generation.id == key)
    await client.store(lease)
    said = db.Caption(text=caption, captioner="offline")
    states = [
        db.GENERATION_STATE_STORED,
        db.GENERATION_STATE_CAPTIONED,
        db.GENERATION_STATE_QUEUED,
        db.GENERATION_STATE_RUNNING,
    ]
    patch = db.GenerationPatch(caption=said, prompt=f"{words}, {caption}")
    for here, there in pairwise(states):
        await client.advance(lease, here, there, patch)
    await client.finish(lease)
    sent = db.GenerationPatch(result_file_id=file_id, result_message_id=1000 + message_id)
    await client.advance(lease, db.GENERATION_STATE_FINISHED, DELIVERED, sent)
    await client.close(lease)
    return key


async def find(
    client: Client, words: str = "", *, user: int = USER, bot: int = BOT, **more: Any
) -> list[str]:
    found = await page(client, words, user=user, bot=bot, **more)
    assert not found.cursor
    return [item.generation.id for item in found.items]


async def page(
    client: Client, words: str = "", *, user: int = USER, bot: int = BOT, **more: Any
) -> db.FindPicturesResponse:
    request = db.FindPicturesRequest(bot_id=bot, user_id=user, words=words, **more)
    return await client.call(client.stub.FindPictures, request)


async def test_ones_own_are_found_in_all_chats_by_any_of_their_words(client: Client) -> None:
    snow = await delivered(client, 1, "Im Schnee, ÖL")
    boat = await delivered(client, 2, "as a Stamp", chat=-7, caption="ein Boot auf der Straße")
    await delivered(client, 3, "another's", user=8)
    assert await find(client) == [boat, snow], "newest first"
    assert await find(client, "  ") == [boat, snow]
    for words in ("schnee", "SCHNEE öl", "cat schn", "a cat"):
        assert await find(client, words) == [snow], words
    assert await find(client, "BOOT strasse stamp") == [boat]
    assert await find(client, "schnee boot") == []
    assert await find(client, "another's") == []
    assert await find(client, "%") == await find(client, "_") == []
    assert await find(client, user=9) == await find(client, bot=2) == []


async def test_one_is_found_by_its_id_by_its_owner_alone(client: Client) -> None:
    key = await delivered(client, 1)
    assert await find(client, generation_id=key) == [key]
    assert await find(client, generation_id=key, user=8) == []
    assert await find(client, generation_id=key, bot=2) == []
    assert await find(client, generation_id=photo_id(BOT, CHAT, 1)) == [], "no generation's"


async def test_what_is_not_there_or_not_with_telegram_is_not_found(client: Client) -> None:
    unsent = await delivered(client, 1, file_id="")
    deleted = await delivered(client, 2)
    await client.delete(deleted)
    unfinished = (await client.receive(3)).item.generation.id
    assert await find(client) == await find(client, "a") == []
    for key in (unsent, deleted, unfinished):
        assert await find(client, generation_id=key) == []


async def test_whoever_is_being_forgotten_finds_nothing(client: Client) -> None:
    key = await delivered(client, 1)
    await client.ask_to_forget(USER)
    assert await find(client) == await find(client, "cat") == []
    assert await find(client, generation_id=key) == []


async def test_pages_go_on_where_one_ended(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_BATCH", 2)
    keys = [await delivered(client, n, "odd" if n % 2 else "even") for n in range(1, 8)][::-1]
    for words, wanted in (("", keys), ("odd", keys[::2]), ("even", keys[1::2])):
        found, cursor = [], ""
        while True:
            some = await page(client, words, page_size=2, cursor=cursor)
            assert len(some.items) <= 2
            found += [item.generation.id for item in some.items]
            cursor = some.cursor
            if not cursor:
                break
        assert found == wanted
    monkeypatch.setattr(finding, "MOST_BATCHES", 1)
    some = await page(client, "nowhere")
    assert not some.items
    assert some.cursor, "there is more to look through"


async def test_what_is_refused(client: Client) -> None:
    key = await delivered(client, 1)
    for wrong, field in (
        ({"page_size": 51}, "page_size"),
        ({"words": "x" * 257}, "words"),
        ({"cursor": "x"}, "cursor"),
        ({"generation_id": "x"}, "generation_id"),
        ({"generation_id": key, "words": "x"}, "words"),
        ({"user": 0}, "user_id"),
    ):
        status, reason, fields = await refusal(page(client, **wrong))
        assert (status, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
        assert fields == [field]
