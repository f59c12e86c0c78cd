import io

import httpx
import pytest
from PIL import Image
from telegram import Bot, Message
from telegram.error import BadRequest

from tests.sandbox.client import LOOPBACK, People
from tests.sandbox.conftest import TOKEN, image, jpeg


@pytest.fixture
def url(shared_url: str) -> str:
    return shared_url


async def test_a_users_photo_arrives_without_metadata_and_upright(
    bot: Bot, people: People, chat: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Camera"
    data = jpeg(640, 480, exif=exif, comment=b"Comment")
    assert b"Camera" in data
    assert b"Comment" in data
    shown = await people.send_photo(chat, data, caption="/again look")
    message = Message.de_json(shown.json, bot)

    assert [(s.width, s.height) for s in message.photo] == [(68, 90), (240, 320), (480, 640)]
    assert message.caption == "/again look"
    assert message.caption_entities[0].type == "bot_command"
    file = await bot.get_file(message.photo[-1].file_id)
    assert (file.file_unique_id, file.file_size) == (
        message.photo[-1].file_unique_id,
        message.photo[-1].file_size,
    )
    downloaded = bytes(await file.download_as_bytearray())
    assert len(downloaded) == file.file_size
    assert b"Camera" not in downloaded
    assert b"Comment" not in downloaded
    with Image.open(io.BytesIO(downloaded)) as opened:
        assert (opened.format, opened.size, dict(opened.getexif())) == ("JPEG", (480, 640), {})
    assert shown.photo is not None
    assert await people.original(shown.photo) == data


async def test_a_users_document_arrives_as_it_is(bot: Bot, people: People, chat: int) -> None:
    data = image(30, 20, "green", "PNG")
    shown = await people.send_document(chat, data, "leaf.png", caption="raw")
    message = Message.de_json(shown.json, bot)
    assert message.document is not None
    assert (message.document.file_name, message.document.mime_type) == ("leaf.png", "image/png")
    file = await bot.get_file(message.document.file_id)
    assert bytes(await file.download_as_bytearray()) == data


async def test_an_album_of_a_user_is_several_messages(people: People, chat: int) -> None:
    album = await people.send_album(chat, [jpeg(), jpeg(), jpeg()], caption="three")
    assert len({message.media_group_id for message in album}) == 1
    assert len({message.photo for message in album}) == 3
    assert [message.caption for message in album] == ["three", "", ""]


async def test_files_over_20_mb_cannot_be_fetched(bot: Bot, people: People, chat: int) -> None:
    limit = 20 * 1024 * 1024
    fits = await people.send_document(chat, bytes(limit), "a.bin", "application/octet-stream")
    big = await people.send_document(chat, bytes(limit + 1), "b.bin", "application/octet-stream")
    assert fits.document is not None
    assert big.document is not None
    assert (await bot.get_file(fits.document)).file_size == limit
    with pytest.raises(BadRequest, match="File is too big"):
        await bot.get_file(big.document)


async def test_file_ids_that_are_not_valid(bot: Bot, people: People, chat: int) -> None:
    with pytest.raises(BadRequest, match="Invalid file_id"):
        await bot.get_file("never")
    with pytest.raises(BadRequest, match="File_id not specified"):
        await bot.get_file("")
    sent = await bot.send_photo(chat, jpeg())
    file = await bot.get_file(sent.photo[-1].file_id)
    await people.forget_file(sent.photo[0].file_id)
    with pytest.raises(BadRequest, match="Wrong file_id or the file is temporarily unavailable"):
        await bot.get_file(sent.photo[-1].file_id)
    with pytest.raises(BadRequest, match="Wrong file identifier/http url specified"):
        await bot.send_photo(chat, sent.photo[-1].file_id)
    assert file.file_path is not None
    async with httpx.AsyncClient(**LOOPBACK) as http:
        assert (await http.get(file.file_path)).status_code == 404


@pytest.mark.parametrize("path", ["photos/none.jpg", "../sandbox.db", "%2e%2e/sandbox.db", ""])
async def test_only_files_of_messages_can_be_fetched(url: str, path: str) -> None:
    async with httpx.AsyncClient(**LOOPBACK) as http:
        answer = await http.get(f"{url}/file/bot{TOKEN}/{path}")
        assert answer.status_code == 404
        assert answer.json()["ok"] is False
