import httpx
import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
)
from telegram.error import BadRequest

from tests.sandbox.client import People
from tests.sandbox.conftest import jpeg

KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="stop")]])
NOT_MODIFIED = (
    "Message is not modified: specified new message content and reply markup"
    " are exactly the same as a current content and reply markup of the message"
)


@pytest.fixture
def url(shared_url: str) -> str:
    return shared_url


async def test_text_and_buttons_change(bot: Bot, people: People, chat: int) -> None:
    sent = await bot.send_message(chat, "10 %", reply_markup=KEYBOARD)
    edited = await bot.edit_message_text("20 %", chat, sent.message_id, reply_markup=KEYBOARD)
    assert isinstance(edited, Message)
    assert edited.edit_date is not None
    assert (edited.message_id, edited.text) == (sent.message_id, "20 %")

    await bot.edit_message_text("30 %", chat, sent.message_id)
    shown = (await people.messages(chat))[-1]
    assert (shown.text, shown.buttons, shown.edits) == ("30 %", [], 2)


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot, people: People, chat: int) -> None:
    sent = await bot.send_message(chat, "<b>10 %</b>", "HTML", reply_markup=KEYBOARD)
    with pytest.raises(BadRequest) as refusal:
        await bot.edit_message_text(
            "<b>10 %</b> ", chat, sent.message_id, parse_mode="HTML", reply_markup=KEYBOARD
        )
    assert refusal.value.message == NOT_MODIFIED
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_reply_markup(chat, sent.message_id, reply_markup=KEYBOARD)
    assert (await people.messages(chat))[-1].edits == 0

    await bot.edit_message_text("10 %", chat, sent.message_id, reply_markup=KEYBOARD)  # not bold
    await bot.edit_message_reply_markup(chat, sent.message_id)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_reply_markup(chat, sent.message_id)
    assert (await people.messages(chat))[-1].edits == 2


async def test_captions_change(bot: Bot, people: People, chat: int) -> None:
    sent = await bot.send_photo(chat, jpeg(), caption="one", reply_markup=KEYBOARD)
    await bot.edit_message_caption(chat, sent.message_id, caption="two")
    assert (await people.messages(chat))[-1].caption == "two"
    await bot.edit_message_caption(chat, sent.message_id)
    assert (await people.messages(chat))[-1].caption == ""
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_caption(chat, sent.message_id)
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("x", chat, sent.message_id)


async def test_media_changes_also_where_text_was(bot: Bot, people: People, chat: int) -> None:
    status = await bot.send_message(chat, "painting", reply_markup=KEYBOARD)
    with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
        await bot.edit_message_caption(chat, status.message_id, caption="x")
    media = InputMediaPhoto(jpeg(), caption="done")
    edited = await bot.edit_message_media(media, chat, status.message_id)
    assert isinstance(edited, Message)
    assert (edited.text, edited.caption, len(edited.photo)) == (None, "done", 3)
    shown = (await people.messages(chat))[-1]
    assert (shown.id, shown.text, shown.buttons) == (status.message_id, "", [])

    same = InputMediaPhoto(edited.photo[-1], caption="done")
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_media(same, chat, status.message_id)
    document = InputMediaDocument(jpeg(), filename="x.jpg", thumbnail=jpeg(90, 90))
    await bot.edit_message_media(document, chat, status.message_id, reply_markup=KEYBOARD)
    shown = (await people.messages(chat))[-1]
    assert (shown.photo, len(shown.buttons), shown.edits) == (None, 1, 2)
    assert shown.thumbnail is not None
    media = InputMediaPhoto(edited.photo[-1])
    await bot.edit_message_media(media, chat, status.message_id, reply_markup=KEYBOARD)
    again = (await people.messages(chat))[-1]
    assert (again.photo, again.document, again.caption) == (edited.photo[-1].file_id, None, "")
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.edit_message_media(InputMediaPhoto("gone"), chat, status.message_id)


async def test_an_album_keeps_its_kind(bot: Bot, chat: int) -> None:
    album = await bot.send_media_group(chat, [InputMediaPhoto(jpeg()), InputMediaPhoto(jpeg())])
    with pytest.raises(BadRequest, match="Can't use the media of the specified type"):
        await bot.edit_message_media(InputMediaDocument(b"x"), chat, album[0].message_id)
    other = InputMediaPhoto(jpeg(colour="blue"))
    edited = await bot.edit_message_media(other, chat, album[0].message_id)
    assert isinstance(edited, Message)
    assert edited.media_group_id == album[0].media_group_id
    edited = await bot.edit_message_caption(chat, album[1].message_id, caption="words")
    assert isinstance(edited, Message)
    assert edited.media_group_id == album[0].media_group_id


async def test_what_cannot_be_edited(
    bot: Bot, people: People, chat: int, http: httpx.AsyncClient
) -> None:
    theirs = await people.send_text(chat, "mine")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", chat, theirs.id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", chat, 10**6)
    answer = await http.post("/editMessageText", data={"text": "x"})
    description = "Bad Request: message identifier is not specified"
    assert answer.json()["description"] == description


async def test_deleting(bot: Bot, people: People, chat: int) -> None:
    theirs = await people.send_text(chat, "mine")
    own = await bot.send_message(chat, "yours")
    assert await bot.delete_message(chat, own.message_id)
    assert await bot.delete_message(chat, theirs.id)
    assert len(await people.messages(chat)) == 1
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(chat, own.message_id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", chat, own.message_id)


async def test_after_48_hours_a_message_is_edited_but_not_deleted(
    bot: Bot, people: People, chat: int
) -> None:
    sent = await bot.send_photo(chat, jpeg(), reply_markup=KEYBOARD)
    young = await bot.send_message(chat, "young")
    await people.age((await people.messages(chat))[-2], 48)
    for ids in ([sent.message_id], [young.message_id, sent.message_id]):
        with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
            await bot.delete_messages(chat, ids)
    with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
        await bot.delete_message(chat, sent.message_id)
    await bot.edit_message_media(
        InputMediaPhoto(jpeg(20, 20), caption="Deleted"), chat, sent.message_id
    )
    assert [m.caption for m in await people.messages(chat)][-2:] == ["Deleted", ""]


async def test_many_are_deleted_at_once(bot: Bot, people: People, chat: int) -> None:
    ids = [(await bot.send_message(chat, str(n))).message_id for n in range(3)]
    assert await bot.delete_messages(chat, [*ids[:2], ids[0], 10**6])
    assert [m.text for m in await people.messages(chat)] == ["/start", "2"]


@pytest.mark.parametrize(
    ("ids", "description"),
    [
        (None, "message identifiers are not specified"),
        ("7", "expected an Array of message identifiers"),
        ("[1.5]", "invalid message identifier specified"),
        (str([*range(1, 102)]), "too many message identifiers specified"),
        ("[", "can't parse message identifiers JSON object"),
    ],
)
async def test_what_is_no_list_of_ids(
    http: httpx.AsyncClient, chat: int, ids: str | None, description: str
) -> None:
    form = {"chat_id": str(chat)} | ({} if ids is None else {"message_ids": ids})
    answer = await http.post("/deleteMessages", data=form)
    assert answer.json()["description"] == f"Bad Request: {description}"


async def test_in_groups_a_bot_deletes_its_own_messages_only(bot: Bot, people: People) -> None:
    user = await people.add_user()
    group = await people.add_group([user])
    theirs = await people.send_text(group, "mine", user=user)
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_message(group, theirs.id)
    own = await bot.send_message(group, "yours")
    assert await bot.delete_message(group, own.message_id)


@pytest.mark.parametrize(
    ("form", "description"),
    [
        ({"message_id": "1"}, "Bad Request: chat identifier is not specified"),
        ({"chat_id": "1"}, "Bad Request: message identifier is not specified"),
        ({"chat_id": "1", "message_id": "x"}, 'Bad Request: parameter "message_id" must be'),
    ],
)
async def test_deleting_needs_both_ids(
    http: httpx.AsyncClient, form: dict[str, str], description: str
) -> None:
    answer = await http.post("/deleteMessage", data=form)
    assert answer.json()["description"].startswith(description)
