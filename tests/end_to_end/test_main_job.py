"""A photo in; a caption, progress and a picture out."""

import hashlib
import io
from itertools import pairwise

import httpx
import pytest
from PIL import Image

from lookalike.processes.stack import Stack
from tests.azure import AzureServer
from tests.end_to_end.chats import (
    EN,
    NAME,
    ask,
    cat,
    delivered,
    idle,
    labels,
    pictures,
    press,
    statuses,
    texts,
    told,
)
from tests.end_to_end.conftest import IN_BOTH_WAYS
from tests.sandbox.client import ApiCall, People, ShownMessage


@IN_BOTH_WAYS
async def test_photo_in_caption_progress_and_picture_out(
    people: People, vision: AzureServer
) -> None:
    before = await people.last_event()
    chat = await people.add_user()
    photo = await people.send_photo(chat, cat(), caption="as a watercolour")
    picture = await delivered(people, photo)

    (caption,) = texts(await people.messages(chat), photo)
    said = f"{vision.caption}\n\n(81% sure, says Azure AI Vision)"
    assert caption.text == f"{said}\n\n{EN.privacy.accepting}"
    assert caption.id < picture.id
    assert picture.caption == f"as a watercolour, {vision.caption}"
    assert picture.photo is not None
    with Image.open(io.BytesIO(await people.original(picture.photo))) as png:
        png.load()
        assert (png.format, png.size, [*png.info]) == ("PNG", (256, 256), ["lookalike"])

    edits = [
        (shown.text or shown.caption, shown.photo)
        for event in await people.events(before, kinds=["edit"])
        if event["data"]["chat_id"] == chat
        for shown in [ShownMessage(event["data"]["message"])]
    ]
    assert len(edits) == len(set(edits)), "an edit that changes nothing was sent"
    status = [call for call in await people.calls("sendMessage", before) if chat_of(call) == chat]
    assert [call.params["text"] for call in status if "reply_markup" in call.params] != []


def chat_of(call: ApiCall) -> int:
    return int(call.params["chat_id"])


async def test_progress_is_shown_and_keeps_its_pace(people: People) -> None:
    before = await people.last_event()
    chat = await people.add_user()
    photos = [await people.send_photo(chat, cat(), caption=str(n)) for n in range(4)]
    for photo in photos:
        await delivered(people, photo)
    edits = [
        call
        for call in await people.calls(after=before)
        if call.method.startswith("edit") and chat_of(call) == chat
    ]
    texts = " ".join(str(call.params) for call in edits)
    assert "Waiting" in texts or "Next in line" in texts or "Painting" in texts
    gaps = [later.time - earlier.time for earlier, later in pairwise(edits)]
    assert all(gap > 1.0 for gap in gaps), gaps  # 1.5 s by the bot's clock; the wire may be slower


@pytest.mark.long
@IN_BOTH_WAYS
async def test_an_album_is_as_many_photos(people: People) -> None:
    chat = await people.add_user()
    photos = await people.send_album(chat, [cat(), cat(200), cat(250)], caption="three cats")
    for photo in photos:
        await delivered(people, photo)
    messages = await people.messages(chat)
    assert [len(pictures(messages, photo)) for photo in photos] == [1, 1, 1]


async def test_an_image_sent_as_a_file(people: People) -> None:
    chat = await people.add_user()
    file = io.BytesIO()
    Image.new("RGBA", (120, 90), (200, 30, 30, 128)).save(file, "PNG")
    photo = await people.send_document(chat, file.getvalue(), "red.png", "image/png")
    await delivered(people, photo)


async def test_two_users_at_once_do_not_see_one_another(people: People) -> None:
    ada, bob = await people.add_user("Ada"), await people.add_user("Bob")
    of_ada = [await people.send_photo(ada, cat()) for _ in range(2)]
    of_bob = await people.send_photo(bob, cat(), caption="Bob's")
    for photo in (*of_ada, of_bob):
        await delivered(people, photo)
    card = await ask(people, ada, "/history")
    assert "1/2" in labels(card)
    assert "Bob's" not in card.caption
    messages = await people.messages(bob)
    assert len([message for message in messages if message.photo and message.from_bot]) == 1


async def test_groups_show_the_askers_work_of_that_group_alone(people: People) -> None:
    ada, bob = await people.add_user("Ada"), await people.add_user("Bob")
    group = await people.add_group([ada, bob])
    photo = await people.send_photo(group, cat(), user=ada, caption=f"{NAME} in the group")
    await delivered(people, photo)
    assert (await ask(people, group, "/history", user=bob)).text == EN.no_history
    card = await ask(people, group, "/history", user=ada)
    assert card.caption.startswith("in the group")
    for button in labels(card):
        assert await press(people, card, button, user=bob) == EN.not_yours
    assert (await ask(people, ada, "/history")).text == EN.no_history


async def test_no_metadata_reaches_the_captioner(people: People, vision: AzureServer) -> None:
    exif = Image.Exif()
    exif[0x010E] = "PLANTED-DESCRIPTION"
    exif[0x0112] = 6  # lies on its side
    exif.get_ifd(0x8825)[1] = "PLANTED-GPS"
    file = io.BytesIO()
    Image.new("RGB", (200, 100), "navy").save(file, "JPEG", exif=exif, comment=b"PLANTED-COMMENT")
    chat = await people.add_user()
    asked = len(vision.requests)
    photo = await people.send_document(chat, file.getvalue(), "photo.jpg", "image/jpeg")
    await delivered(people, photo)
    (request,) = vision.requests[asked:]
    assert b"PLANTED" not in request.body
    assert b"Exif" not in request.body
    with Image.open(io.BytesIO(request.body)) as image:
        assert image.size == (100, 200)


@pytest.mark.parametrize(
    ("data", "name", "media_type", "code"),
    [
        (b"\xff\xd8\xff\xe0 not really", "broken.jpg", "image/jpeg", "not-an-image"),
        (b"GIF89a" + bytes(100), "moving.gif", "image/gif", "unsupported-format"),
    ],
)
async def test_a_bad_file_is_refused_in_words(
    people: People, data: bytes, name: str, media_type: str, code: str
) -> None:
    chat = await people.add_user()
    photo = await people.send_document(chat, data, name, media_type)
    await told(people, photo, EN.ending(code))
    await idle(people, chat)


async def test_a_tiny_image_is_refused_in_words(people: People) -> None:
    file = io.BytesIO()
    Image.new("RGB", (49, 400)).save(file, "PNG")
    chat = await people.add_user()
    photo = await people.send_document(chat, file.getvalue())
    await told(people, photo, EN.ending("image-too-small"))


async def test_a_file_over_20_mb_is_refused_before_it_is_fetched(people: People) -> None:
    before = await people.last_event()
    chat = await people.add_user()
    photo = await people.send_document(chat, bytes(21 * 1024 * 1024))
    await told(people, photo, EN.ending("file-too-large"))
    assert await people.calls("getFile", before) == []


@pytest.mark.long
async def test_one_user_has_a_limit_and_is_told_and_an_album_loses_nothing(people: People) -> None:
    chat = await people.add_user()
    photos = await people.send_album(chat, [cat()] * 10)
    refused = await people.send_photo(chat, cat())
    refusal = EN.ending("too-many-unfinished")
    await people.wait_for(chat, lambda messages: refusal in [one.text for one in messages])
    await idle(people, chat)
    messages = await people.messages(chat)
    assert [len(pictures(messages, photo)) for photo in (*photos, refused)] == [*[1] * 10, 0]
    assert not statuses(messages, refused)


async def test_health_checks(stack: Stack, people: People) -> None:
    assert (await people.bot())["user"]["is_bot"]
    async with httpx.AsyncClient(trust_env=False) as client:
        for url in (stack.url("bot"), stack.url("generator")):
            for check in ("live", "ready"):
                response = await client.get(f"{url}/health/{check}", timeout=10)
                assert response.status_code == 200, response.text


async def test_the_picture_is_the_generators_byte_for_byte(people: People) -> None:
    """Telegram re-encodes what it shows; what we upload is the PNG that was committed."""
    chat = await people.add_user()
    photo = await people.send_photo(chat, cat())
    picture = await delivered(people, photo)
    assert picture.photo is not None
    first = hashlib.sha256(await people.original(picture.photo)).hexdigest()
    await people.forget_file(picture.photo)  # so that /history has to take it from the database
    again = await ask(people, chat, "/history")
    assert again.photo is not None
    assert hashlib.sha256(await people.original(again.photo)).hexdigest() == first
