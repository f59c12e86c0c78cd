"""editMessageText, -Caption, -Media, -ReplyMarkup; deleteMessage and deleteMessages."""

import time

from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.botapi.call import Call
from sandbox.botapi.inline import require_possible
from sandbox.botapi.media import read_input_media
from sandbox.storage.schema import Json
from sandbox.telegram.chats import ChatRow, require_member, require_writable
from sandbox.telegram.keyboards import read_inline_markup
from sandbox.telegram.messages import (
    CAPTION,
    CONTENT,
    TEXT,
    MessageRow,
    delete_message,
    edit_message,
    find_message,
    has_client_markup,
    is_from,
)
from sandbox.telegram.refusals import bad_request

_MAX_DELETED = 100
_DELETABLE_SECONDS = 48 * 3600  # core.telegram.org/bots/api#deletemessage


async def edit_message_text(call: Call) -> Json:
    """Another text for a text message."""
    content = call.params.formatted_text()
    markup = _read_markup(call)
    async with call.sandbox.database.transaction() as tx:
        stored = await _editable(tx, call)
        if "text" not in stored.message:
            raise bad_request("there is no text in the message to edit")
        return await _replace(tx, stored, TEXT, content, markup)


async def edit_message_caption(call: Call) -> Json:
    """Another caption, or none, for a photo or document."""
    content = call.params.formatted_caption()
    markup = _read_markup(call)
    async with call.sandbox.database.transaction() as tx:
        stored = await _editable(tx, call)
        if "photo" not in stored.message and "document" not in stored.message:
            raise bad_request("there is no caption in the message to edit")
        return await _replace(tx, stored, CAPTION, content, markup)


async def edit_message_media(call: Call) -> Json:
    """Another photo or document, also for what was a text message."""
    item = call.params.json("media", "input media")
    if item is None:
        raise bad_request('parameter "media" is required')
    media = await read_input_media(call, item)
    markup = _read_markup(call)
    async with call.sandbox.database.transaction() as tx:
        stored = await _editable(tx, call)
        if "media_group_id" in stored.message and media.kind not in stored.message:
            raise bad_request("can't use the media of the specified type in the album")
        return await _replace(tx, stored, CONTENT, await media.content(tx), markup)


async def edit_message_reply_markup(call: Call) -> Json:
    """Other buttons, or none."""
    markup = _read_markup(call)
    async with call.sandbox.database.transaction() as tx:
        stored = await _editable(tx, call)
        return await _replace(tx, stored, (), {}, markup)


async def delete_message_(call: Call) -> bool:
    """deleteMessage: the bot's own anywhere, other people's in private chats."""
    if not call.params.text("chat_id"):
        raise bad_request("chat identifier is not specified")
    message_id = call.params.integer("message_id", 0)
    if not message_id:
        raise bad_request("message identifier is not specified")
    async with call.sandbox.database.transaction() as tx:
        chat = await require_writable(tx, call.params.text("chat_id"))
        stored = await find_message(tx, chat.id, message_id)
        if stored is None:
            raise bad_request("message to delete not found")
        _check_deletable(call, chat, stored)
        await delete_message(tx, stored)
    return True


async def delete_messages(call: Call) -> bool:
    """Up to 100 at once; those that are not there are skipped."""
    if not call.params.text("chat_id"):
        raise bad_request("chat identifier is not specified")
    ids = call.params.json("message_ids", "message identifiers")
    if ids is None:
        raise bad_request("message identifiers are not specified")
    if not isinstance(ids, list):
        raise bad_request("expected an Array of message identifiers")
    if len(ids) > _MAX_DELETED:
        raise bad_request("too many message identifiers specified")
    if not all(type(each) is int and each > 0 for each in ids):
        raise bad_request("invalid message identifier specified")
    async with call.sandbox.database.transaction() as tx:
        chat = await require_writable(tx, call.params.text("chat_id"))
        found = [await find_message(tx, chat.id, each) for each in dict.fromkeys(ids)]
        there = [stored for stored in found if stored is not None]
        for stored in there:
            _check_deletable(call, chat, stored)
        for stored in there:
            await delete_message(tx, stored)
    return True


def _check_deletable(call: Call, chat: ChatRow, stored: MessageRow) -> None:
    own = is_from(stored, call.sandbox.bot.id)
    if not own and chat.chat["type"] != "private":
        raise bad_request("message can't be deleted")
    if stored.message["date"] < time.time() - _DELETABLE_SECONDS:
        raise bad_request("message can't be deleted for everyone")


def _read_markup(call: Call) -> Json | None:
    return read_inline_markup(call.params.json("reply_markup", "reply keyboard markup"))


async def _editable(tx: AsyncConnection, call: Call) -> MessageRow:
    chat_id, message_id = call.params.text("chat_id"), call.params.integer("message_id", 0)
    if not chat_id and not message_id:  # only an inline_message_id would do, and there are none
        raise bad_request("message identifier is not specified")
    chat = await require_member(tx, chat_id)
    stored = await find_message(tx, chat.id, message_id)
    if stored is None:
        raise bad_request("message to edit not found")
    own = is_from(stored, call.sandbox.bot.id)
    if not own or chat.migrated_to is not None or await has_client_markup(tx, stored):
        raise bad_request("message can't be edited")
    return stored


async def _replace(
    tx: AsyncConnection,
    stored: MessageRow,
    fields: tuple[str, ...],
    content: Json,
    markup: Json | None,
) -> Json:
    """Puts `content` in the place of `fields`; the buttons are those of the call, or none."""
    await require_possible(tx, markup, stored.message["chat"]["type"])
    replaced = {*fields, "reply_markup"}
    changed = {name: value for name, value in stored.message.items() if name not in replaced}
    changed |= content
    if markup is not None:
        changed["reply_markup"] = markup
    if changed == stored.message:
        raise bad_request(
            "message is not modified: specified new message content and reply markup"
            " are exactly the same as a current content and reply markup of the message"
        )
    return await edit_message(tx, stored, changed)
