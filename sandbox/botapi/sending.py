"""sendMessage, sendPhoto, sendDocument, sendMediaGroup, copyMessage, sendChatAction."""

from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.botapi.call import Call
from sandbox.botapi.inline import require_possible
from sandbox.botapi.media import Media, read_input_media, read_media
from sandbox.botapi.params import Params
from sandbox.storage.events import record_event
from sandbox.storage.schema import Json
from sandbox.telegram.chats import ChatRow, require_member, require_writable
from sandbox.telegram.keyboards import Markup, read_markup
from sandbox.telegram.messages import (
    CAPTION,
    CONTENT,
    MessageRow,
    add_message,
    find_message,
    new_media_group,
    topic,
)
from sandbox.telegram.profile import bot_user
from sandbox.telegram.refusals import bad_request

_ALBUM_SIZES = range(2, 11)
_ACTIONS = frozenset(
    {
        "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
        "upload_document", "choose_sticker", "find_location", "record_video_note",
        "upload_video_note",
    }
)  # fmt: skip


async def send_message(call: Call) -> Json:
    """A text message."""
    content = call.params.formatted_text()
    markup = _read_markup(call)
    place = _Place(call.params)
    async with call.sandbox.database.transaction() as tx:
        return await _add(tx, call, place, content, markup)


async def send_photo(call: Call) -> Json:
    """A photo by upload or file_id."""
    return await _send_media(call, "photo")


async def send_document(call: Call) -> Json:
    """A document by upload or file_id."""
    return await _send_media(call, "document")


async def _send_media(call: Call, kind: str) -> Json:
    media = await read_media(call, kind)
    markup = _read_markup(call)
    place = _Place(call.params)
    async with call.sandbox.database.transaction() as tx:
        return await _add(tx, call, place, await media.content(tx), markup)


async def copy_message(call: Call) -> Json:
    """A message again, as the bot's own: without its buttons, with its caption or another."""
    caption = None
    if "caption" in call.params.values:
        caption = call.params.formatted_caption()
    markup = _read_markup(call)
    place = _Place(call.params)
    async with call.sandbox.database.transaction() as tx:
        source = await require_member(tx, call.params.text("from_chat_id"))
        copied = await find_message(tx, source.id, call.params.integer("message_id", 0))
        if copied is None:
            raise bad_request("message to copy not found")
        content = {name: copied.message[name] for name in CONTENT if name in copied.message}
        if not content:
            raise bad_request("message can't be copied")
        if caption is not None and "text" not in content:
            content = {name: part for name, part in content.items() if name not in CAPTION}
            content |= caption
        return {"message_id": (await _add(tx, call, place, content, markup))["message_id"]}


async def _add(
    tx: AsyncConnection, call: Call, place: "_Place", content: Json, markup: Markup
) -> Json:
    """Adds the call's message to the call's chat."""
    chat = await require_writable(tx, call.params.text("chat_id"))
    await require_possible(tx, markup.inline, chat.chat["type"])
    target, thread = await place.find(tx, chat)
    sender = await bot_user(tx, call.sandbox.bot)
    whole = {**content, **markup.fields, **thread}
    return await add_message(tx, chat, sender, whole, target, markup.client)


async def send_media_group(call: Call) -> list[Json]:
    """An album of photos, or of documents."""
    items = call.params.json("media", "media")
    if items is None:
        raise bad_request('parameter "media" is required')
    if not isinstance(items, list):
        raise bad_request("expected an Array of InputMedia")
    if not items:
        raise bad_request("there are no messages to send")
    if len(items) > _ALBUM_SIZES[-1]:
        raise bad_request("too many messages to send as an album")
    if len(items) < _ALBUM_SIZES[0]:
        raise bad_request("album must contain at least 2 messages")
    album: list[Media] = [await read_input_media(call, item) for item in items]
    if len({media.kind for media in album}) > 1:
        raise bad_request("can't use the media of the specified type in the album")
    place = _Place(call.params)
    async with call.sandbox.database.transaction() as tx:
        chat = await require_writable(tx, call.params.text("chat_id"))
        target, thread = await place.find(tx, chat)
        sender = await bot_user(tx, call.sandbox.bot)
        group = {"media_group_id": await new_media_group(tx)}
        return [
            await add_message(tx, chat, sender, await media.content(tx) | group | thread, target)
            for media in album
        ]


async def send_chat_action(call: Call) -> bool:
    """Shows people that the bot is typing, or sending a photo."""
    action = call.params.text("action").lower()
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    async with call.sandbox.database.transaction() as tx:
        chat = await require_writable(tx, call.params.text("chat_id"))
        await record_event(tx, "action", {"chat_id": chat.id, "action": action})
    return True


def _read_markup(call: Call) -> Markup:
    return read_markup(call.params.json("reply_markup", "reply keyboard markup"))


class _Place:
    """Where in its chat a call's message goes: its topic, and the message that it replies to.

    The latter is `reply_parameters`, or the older `reply_to_message_id`.
    """

    def __init__(self, params: Params) -> None:
        self._thread = params.integer("message_thread_id", 0)
        given = params.json("reply_parameters", "reply parameters")
        if given is None:
            self._message_id = params.integer("reply_to_message_id", 0)
            self._optional = params.boolean("allow_sending_without_reply")
            self._chat_id = None
            return
        if not isinstance(given, dict):
            raise bad_request("object expected as reply parameters")
        self._message_id = given.get("message_id", 0)
        self._optional = given.get("allow_sending_without_reply", False)
        self._chat_id = given.get("chat_id")
        if type(self._message_id) is not int or type(self._optional) is not bool:
            raise bad_request("can't parse reply parameters JSON object")

    async def find(self, tx: AsyncConnection, chat: ChatRow) -> tuple[MessageRow | None, Json]:
        """The message to reply to, if any, and the topic's fields; a reply is in its topic.

        Raises:
            Refusal: it is not there, or the chat has no topics.
        """
        if self._thread and "is_forum" not in chat.chat:
            raise bad_request("message thread not found")
        target = await self._target(tx, chat)
        thread = self._thread
        if target is not None:
            thread = target.message.get("message_thread_id", 0)
        return target, topic(thread) if thread else {}

    async def _target(self, tx: AsyncConnection, chat: ChatRow) -> MessageRow | None:
        if not self._message_id:
            return None
        elsewhere = self._chat_id is not None and str(self._chat_id) != str(chat.id)
        found = None if elsewhere else await find_message(tx, chat.id, self._message_id)
        if found is None and not self._optional:
            raise bad_request("message to be replied not found")
        return found
