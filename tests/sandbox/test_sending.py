import io
import json

import httpx
import pytest
from PIL import Image
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    MessageEntity,
    ReplyParameters,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest

from tests.sandbox.client import People
from tests.sandbox.conftest import image, jpeg

UNMATCHED = (
    'Can\'t parse entities: unmatched end tag at byte offset 4, expected "</b>", found "</i>"'
)


@pytest.fixture
def url(shared_url: str) -> str:
    return shared_url


async def test_text_arrives_as_a_client_shows_it(bot: Bot, people: People, chat: int) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("More", callback_data="more")]])
    sent = await bot.send_message(
        chat, " <b>Bold</b> &amp; 🎨 <i>plain</i> ", ParseMode.HTML, reply_markup=keyboard
    )

    assert sent.text == "Bold & 🎨 plain"
    assert [(e.type, e.offset, e.length) for e in sent.entities] == [
        ("bold", 0, 4),
        ("italic", 10, 5),  # in UTF-16 units: the palette counts two
    ]
    assert sent.from_user is not None
    assert sent.from_user.id == bot.id
    (shown,) = [m for m in await people.messages(chat) if m.from_bot]
    assert (shown.text, shown.edits) == ("Bold & 🎨 plain", 0)
    assert [(b.text, b.data) for b in shown.buttons] == [("More", "more")]


async def test_entities_are_given_or_read(bot: Bot, people: People, chat: int) -> None:
    code = MessageEntity(MessageEntity.CODE, 1, 4)  # with the space that is cut off
    command = MessageEntity(MessageEntity.BOT_COMMAND, 6, 2)
    await bot.send_message(chat, " 1234 x", entities=[code, command])
    photo = InputMediaPhoto(jpeg(), caption="1234", caption_entities=[MessageEntity("code", 0, 9)])
    sent = await bot.send_photo(chat, jpeg(), caption="a 1", caption_entities=[code])
    await bot.edit_message_media(photo, chat, sent.message_id)
    text, captioned = (await people.messages(chat))[-2:]
    assert text.json["entities"] == [{"type": "code", "offset": 0, "length": 4}]
    assert captioned.json["caption_entities"] == [{"type": "code", "offset": 0, "length": 4}]
    with pytest.raises(BadRequest, match=r'(?i)field "offset" must be of type number'):
        await bot.send_message(chat, "x", api_kwargs={"entities": [{"type": "bold"}]})


@pytest.mark.parametrize(
    ("text", "mode", "description"),
    [
        ("", None, "Message text is empty"),
        ("  \n ", None, "Text must be non-empty"),
        ("x" * 4097, None, "Message is too long"),
        ("🎨" * 2049, None, "Message is too long"),
        (
            "<b>x",
            "HTML",
            "Can't parse entities: can't find end tag corresponding to start tag \"b\"",
        ),
        ("<k>x</k>", "HTML", 'Can\'t parse entities: unsupported start tag "k" at byte offset 0'),
        ("é</b>", "HTML", "Can't parse entities: unexpected end tag at byte offset 2"),
        ("<b>x</i>", "HTML", UNMATCHED),
        ("a < b", "HTML", "Can't parse entities: unclosed start tag at byte offset 2"),
        ("*x*", "MarkdownV2", "Unsupported parse_mode"),
    ],
)
async def test_bad_text_is_refused_in_telegrams_words(
    bot: Bot, chat: int, text: str, mode: str | None, description: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        await bot.send_message(chat, text, mode)
    assert refusal.value.message.lower() == description.lower()


@pytest.mark.parametrize("length", [1, 4096])
async def test_text_within_the_limits_is_taken(bot: Bot, chat: int, length: int) -> None:
    assert (await bot.send_message(chat, "x" * length)).text == "x" * length


async def test_replies(bot: Bot, people: People, chat: int) -> None:
    question = await people.send_text(chat, "what?")
    reply = await bot.send_message(chat, "that", reply_to_message_id=question.id)
    assert reply.reply_to_message is not None
    assert reply.reply_to_message.text == "what?"

    await people.delete(question)
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(chat, "that", reply_to_message_id=question.id)
    parameters = ReplyParameters(question.id, allow_sending_without_reply=True)
    alone = await bot.send_message(chat, "that", reply_parameters=parameters)
    assert alone.reply_to_message is None


async def test_a_photo_gets_sizes_and_its_original_is_kept(
    bot: Bot, people: People, chat: int
) -> None:
    png = image(600, 400, "blue", "PNG")
    sent = await bot.send_photo(chat, png, caption="<i>so</i>", parse_mode="HTML")

    assert [(size.width, size.height) for size in sent.photo] == [(90, 60), (320, 213), (600, 400)]
    assert len({size.file_id for size in sent.photo}) == 3
    assert len({size.file_unique_id for size in sent.photo}) == 3
    assert all(size.file_size for size in sent.photo)
    assert sent.caption == "so"
    (shown,) = [m for m in await people.messages(chat) if m.from_bot]
    assert shown.photo is not None
    assert await people.original(shown.photo) == png

    again = await bot.send_photo(chat, sent.photo[0].file_id)
    assert again.photo == sent.photo
    assert again.caption is None


async def test_a_tiny_photo_has_one_size_and_a_large_one_ends_at_1280(bot: Bot, chat: int) -> None:
    tiny = await bot.send_photo(chat, jpeg(40, 30))
    large = await bot.send_photo(chat, jpeg(3000, 1500))
    assert [(size.width, size.height) for size in tiny.photo] == [(40, 30)]
    assert [size.width for size in large.photo] == [90, 320, 800, 1280]


@pytest.mark.parametrize(
    ("data", "description"),
    [
        (b"no image at all", "Image_process_failed"),
        (jpeg()[:300], "Image_process_failed"),
        (b"x" * (10 * 1024 * 1024 + 1), "File of size 10485761 bytes is too big for a photo"),
        (image(2100, 100, "red", "PNG"), "Photo_invalid_dimensions"),
        (image(9000, 1001, "red", "PNG"), "Photo_invalid_dimensions"),
    ],
)
async def test_bad_photos_are_refused(bot: Bot, chat: int, data: bytes, description: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){description}"):
        await bot.send_photo(chat, data)


async def test_photo_parameters_are_checked(bot: Bot, people: People, chat: int) -> None:
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_photo(chat, jpeg(), caption="x" * 1025)
    with pytest.raises(BadRequest, match="Wrong file identifier/http url specified"):
        await bot.send_photo(chat, "AgACAgIAAxnever")
    with pytest.raises(BadRequest, match="Failed to get http url content"):
        await bot.send_photo(chat, "http://127.0.0.1/cat.jpg")
    document = await bot.send_document(chat, b"text", filename="a.txt")
    assert document.document is not None
    with pytest.raises(BadRequest, match="Can't use file of type document as photo"):
        await bot.send_photo(chat, document.document.file_id)
    assert [m.photo for m in await people.messages(chat)] == [None, None]


async def test_a_photo_that_is_not_there_is_refused(http: httpx.AsyncClient, chat: int) -> None:
    answer = await http.post("/sendPhoto", data={"chat_id": chat})
    assert answer.json()["description"] == "Bad Request: there is no photo in the request"


async def test_a_document_keeps_its_bytes(bot: Bot, people: People, chat: int) -> None:
    sent = await bot.send_document(chat, b"\0\1\2", filename="thing.bin", caption="raw")
    assert sent.document is not None
    assert (sent.document.file_name, sent.document.file_size) == ("thing.bin", 3)
    assert await people.original(sent.document.file_id) == b"\0\1\2"
    assert sent.document.thumbnail is None


async def test_an_image_as_a_document_keeps_its_bytes_and_has_a_thumbnail(
    bot: Bot, people: People, chat: int
) -> None:
    png = image(800, 600, "blue", "PNG")
    sent = await bot.send_document(chat, png, filename="cat.png")
    assert sent.document is not None
    assert await people.original(sent.document.file_id) == png
    made = sent.document.thumbnail
    assert made is not None
    assert (made.width, made.height) == (320, 240)
    again = await bot.send_document(chat, sent.document.file_id)
    assert again.document == sent.document
    file = await bot.get_file(made.file_id)
    assert len(await file.download_as_bytearray()) == made.file_size
    with pytest.raises(BadRequest, match="Can't use file of type thumbnail as photo"):
        await bot.send_photo(chat, made.file_id)

    own = jpeg(300, 200, "green")
    sent = await bot.send_document(chat, png, filename="cat.png", thumbnail=own)
    assert (await people.messages(chat))[-1].thumbnail is not None
    assert sent.document is not None
    assert sent.document.thumbnail is not None
    assert await people.original(sent.document.thumbnail.file_id) == own


@pytest.mark.parametrize(
    "thumbnail",
    [jpeg(321, 10), image(90, 90, "red", "PNG"), b"none", jpeg(20, 20) + bytes(200 * 1024)],
)
async def test_a_thumbnail_that_is_not_as_it_should_be_is_ignored(
    bot: Bot, chat: int, thumbnail: bytes
) -> None:
    sent = await bot.send_document(chat, b"text", filename="a.txt", thumbnail=thumbnail)
    assert sent.document is not None
    assert sent.document.thumbnail is None


async def test_a_message_is_copied_without_its_buttons(bot: Bot, people: People, chat: int) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="x")]])
    sent = await bot.send_photo(chat, jpeg(), caption="one", reply_markup=keyboard)
    await bot.copy_message(chat, chat, sent.message_id)
    other = await bot.copy_message(chat, chat, sent.message_id, caption="two")
    first, second = (await people.messages(chat))[-2:]
    assert (first.caption, first.photo, first.buttons) == ("one", sent.photo[-1].file_id, [])
    assert (second.id, second.caption, second.photo) == (other.message_id, "two", first.photo)
    with pytest.raises(BadRequest, match="Message to copy not found"):
        await bot.copy_message(chat, chat, 10**6)


async def test_an_album(bot: Bot, people: People, chat: int) -> None:
    known = await bot.send_photo(chat, jpeg())
    album = await bot.send_media_group(
        chat,
        [InputMediaPhoto(jpeg(colour="blue"), caption="first"), InputMediaPhoto(known.photo[-1])],
        reply_to_message_id=known.id,
    )
    assert len(album) == 2
    assert len({message.media_group_id for message in album}) == 1
    assert [message.caption for message in album] == ["first", None]
    assert [m.reply_to for m in await people.messages(chat)][-2:] == [known.id, known.id]


@pytest.mark.parametrize(
    ("media", "description"),
    [
        ([], "there are no messages to send"),
        ([{"type": "photo", "media": "x"}], "at least 2 messages"),
        ([{"type": "photo", "media": "x"}] * 11, "too many messages to send as an album"),
        ([{"type": "photo", "media": "attach://x"}] * 2, "media not found"),
        ([{"type": "photo"}] * 2, "media not found"),
        ([{"media": "x"}] * 2, "Can't find field"),
        ([{"type": "story", "media": "x"}] * 2, 'type "story" is unsupported'),
        (["x", "y"], "expected an Object"),
        ("x", "expected an Array of InputMedia"),
        ([{"type": "photo", "media": "x"}] * 2, "wrong file identifier"),
    ],
)
async def test_bad_albums_are_refused(
    http: httpx.AsyncClient, chat: int, media: object, description: str
) -> None:
    form = {"chat_id": str(chat), "media": json.dumps(media)}
    answer = await http.post("/sendMediaGroup", data=form)
    assert answer.status_code == 400
    assert description in answer.json()["description"]


async def test_an_album_of_documents_in_a_topic(bot: Bot, people: People) -> None:
    ada = await people.add_user()
    forum = await people.add_group([ada], kind="supergroup", forum=True)
    png = image(300, 400, "blue", "PNG")
    album = await bot.send_media_group(
        forum,
        [
            InputMediaDocument(png, caption="one", filename="1.png", thumbnail=jpeg(20, 30)),
            InputMediaDocument(png, caption="two", filename="2.png"),
        ],
        message_thread_id=7,
    )
    assert [(each.caption, each.message_thread_id) for each in album] == [("one", 7), ("two", 7)]
    thumbnails = [each.document.thumbnail for each in album if each.document]
    assert [each and (each.width, each.height) for each in thumbnails] == [(20, 30), (240, 320)]


async def test_an_album_is_of_one_kind_and_sent_whole_or_not(
    bot: Bot, people: People, chat: int
) -> None:
    mixed: list[InputMediaPhoto | InputMediaDocument] = [
        InputMediaPhoto(jpeg()),
        InputMediaDocument(b"x"),
    ]
    with pytest.raises(BadRequest, match="Can't use the media of the specified type in the album"):
        await bot.send_media_group(chat, mixed)
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.send_media_group(chat, [InputMediaPhoto(jpeg()), InputMediaPhoto("gone")])
    assert len(await people.messages(chat)) == 1


async def test_chat_actions(bot: Bot, people: People, chat: int) -> None:
    before = await people.last_event()
    assert await bot.send_chat_action(chat, ChatAction.UPLOAD_PHOTO)
    (event,) = await people.events(before, kinds=["action"])
    assert event["data"] == {"chat_id": chat, "action": "upload_photo"}
    with pytest.raises(BadRequest, match="Wrong parameter action in request"):
        await bot.send_chat_action(chat, "dance")


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "\ud800"},
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "\ud800", "url": "x"}]]}},
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "url": "http://["}]]}},
        {"text": "x", "reply_parameters": {"message_id": []}},
        {"text": "x", "reply_parameters": {"message_id": 2**80}},
        {"text": "x", "reply_parameters": "[" * 5000},
        {"text": "x", "allow_sending_without_reply": "perhaps"},
        {"text": "x", "reply_to_message_id": "1_0"},
        {"text": ["x"], "parse_mode": {}},
    ],
)
async def test_malformed_values_are_refused_never_a_fault(
    http: httpx.AsyncClient, chat: int, fields: dict[str, object]
) -> None:
    body = json.dumps({"chat_id": chat, **fields})  # httpx itself refuses a lone surrogate
    answer = await http.post(
        "/sendMessage", content=body, headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


async def test_a_broken_multipart_body_is_refused(http: httpx.AsyncClient) -> None:
    headers = {"content-type": "multipart/form-data"}
    answer = await http.post("/sendMessage", content=b"x", headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "RGBA", "I;16", "1"])
async def test_photos_of_every_kind_are_taken(bot: Bot, chat: int, mode: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (20, 10)).save(buffer, "TIFF")
    assert (await bot.send_photo(chat, buffer.getvalue())).photo[-1].width == 20
