"""What the bot says of itself."""

import httpx
import pytest
from telegram import Bot, InputProfilePhotoStatic
from telegram.error import BadRequest

from tests.sandbox.client import People
from tests.sandbox.conftest import jpeg


async def test_descriptions_by_language(bot: Bot, people: People) -> None:
    assert (await bot.get_my_description()).description == ""
    await bot.set_my_description("Send a photo.")
    await bot.set_my_description("Schick ein Foto.", language_code="de")
    await bot.set_my_short_description("Photos, painted anew")
    assert (await bot.get_my_description()).description == "Send a photo."
    assert (await bot.get_my_description("de")).description == "Schick ein Foto."
    assert (await bot.get_my_description("fr")).description == "Send a photo."
    assert (await bot.get_my_short_description()).short_description == "Photos, painted anew"
    profile = (await people.bot())["profile"]
    assert profile["description"] == {"": "Send a photo.", "de": "Schick ein Foto."}
    assert profile["short_description"] == {"": "Photos, painted anew"}

    await bot.set_my_description("", language_code="de")
    assert (await bot.get_my_description("de")).description == "Send a photo."


async def test_texts_of_the_profile_have_lengths(bot: Bot) -> None:
    await bot.set_my_description("x" * 512)
    await bot.set_my_short_description("x" * 120)
    for setting, text in (
        (bot.set_my_name, "x" * 65),
        (bot.set_my_description, "x" * 513),
        (bot.set_my_short_description, "x" * 121),
    ):
        with pytest.raises(BadRequest, match=r"(?i)too_long"):
            await setting(text)
    with pytest.raises(BadRequest, match=r"(?i)lang_code_invalid"):
        await bot.set_my_description("x", language_code="deutsch")


async def test_the_name_is_the_one_of_its_messages(bot: Bot, people: People, chat: int) -> None:
    assert (await bot.get_my_name()).name == "Lookalike"
    await bot.set_my_name("Painter")
    assert (await bot.get_my_name()).name == (await bot.get_me()).first_name == "Painter"
    sent = await bot.send_message(chat, "x")
    assert sent.from_user is not None
    assert sent.from_user.first_name == (await people.bot())["user"]["first_name"] == "Painter"


async def test_the_profile_photo_is_uploaded(
    bot: Bot, people: People, http: httpx.AsyncClient
) -> None:
    assert await bot.set_my_profile_photo(InputProfilePhotoStatic(jpeg(400, 400)))
    photo = (await people.bot())["profile"]["photo"]
    assert await people.original(photo) == jpeg(400, 400)
    with pytest.raises(BadRequest, match=r"(?i)image_process_failed"):
        await bot.set_my_profile_photo(InputProfilePhotoStatic(b"no image"))
    for given, description in (
        ({"type": "static", "photo": photo}, "must be uploaded as a file"),
        ({"type": "animated"}, "invalid type specified"),
        (photo, "can't parse input profile photo"),
    ):
        answer = await http.post("/setMyProfilePhoto", json={"photo": given})
        assert description in answer.json()["description"]
    assert await bot.remove_my_profile_photo()
    assert (await people.bot())["profile"]["photo"] is None
