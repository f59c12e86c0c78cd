"""In which language a user is spoken to: what they have chosen wins, else as Telegram says."""

from typing import Any

import grpc
import pytest

from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, USER, Client, refusal

OTHER = USER + 1


async def choose(client: Client, *, telegrams: str = "en", **chosen: Any) -> db.UserSettings:
    request = db.ChangeSettingsRequest(
        bot_id=BOT,
        user_id=USER,
        settings=db.UserSettings(**chosen),
        language_code=telegrams,
    )
    return (await client.call(client.stub.ChangeSettings, request)).settings


async def language(client: Client, generation_id: str) -> str:
    return (await client.get(generation_id=generation_id)).item.photo.language_code


async def test_a_chosen_language_is_that_of_what_comes_then(client: Client) -> None:
    assert await choose(client, language="lt") == db.UserSettings(language="lt")
    assert (await client.receive()).item.photo.language_code == "lt"
    assert (await client.create(language_code="en")).item.photo.language_code == "lt"
    of_another = await client.receive(2, user=OTHER, chat=OTHER)
    assert of_another.item.photo.language_code == "en"


async def test_what_is_under_way_goes_on_in_a_language_that_is_chosen(client: Client) -> None:
    closed = await client.leased(1)
    await client.cancel(closed.item.generation.id)
    await client.close(closed)
    open_one = (await client.receive(2)).item.generation.id
    await choose(client, language="nl")
    assert await language(client, open_one) == "nl"
    assert await language(client, closed.item.generation.id) == "en"
    await choose(client, language="", telegrams="de")
    assert await language(client, open_one) == "de"
    assert (await client.receive(3)).item.photo.language_code == "en", "as Telegram says"


async def test_a_picture_of_an_old_photo_is_in_the_language_of_who_asks_now(
    client: Client,
) -> None:
    first = (await client.create(language_code="en")).item.generation.id
    assert await language(client, first) == "en"
    again = await client.create(first, 501, language_code="de")
    assert again.item.photo.language_code == "de"
    await choose(client, language="lt")
    again = await client.create(first, 502, language_code="de")
    assert again.item.photo.language_code == "lt"


async def test_what_is_chosen_of_one_thing_leaves_the_others(client: Client) -> None:
    await choose(client, language="lt", time_zone="Europe/Vilnius")
    await choose(client, pictures=4)
    chosen = await choose(client, language="")
    assert chosen == db.UserSettings(pictures=4, time_zone="Europe/Vilnius")


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("language", "Deutsch"),
        ("language", "d"),
        ("language", "de_DE"),
        ("time_zone", "Europe"),
        ("time_zone", "Europe/Nowhere"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "/etc/localtime"),
        ("time_zone", "x" * 5000),
    ],
)
async def test_what_is_none_is_refused(client: Client, field: str, wrong: str) -> None:
    code, reason, fields = await refusal(choose(client, **{field: wrong}))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert fields == [f"settings.{field}"]
