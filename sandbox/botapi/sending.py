"""sendMessage, sendPhoto, sendDocument, sendMediaGroup, sendChatAction."""

from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.botapi.call import Call
from sandbox.botapi.media import Media, read_input_media, read_media
from sandbox.botapi.params import Params
from sandbox.storage.events import record_event
from sandbox.storage.schema import Json
from sandbox.telegram.chats import ChatRow, require_writable
from sandbox.telegram.formatting import message_text
from sandbox.telegram.keyboards import check_markup
from sandbox.telegram.messages import MessageRow, add_message, find_message, new_media_group
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
    content = message_text(call.params.text("text"), call.params.text("parse_mode"))
    markup = check_markup(call.params.json("reply_markup", "reply keyboard markup"))
    reply = _Reply(call.params)
    async with call.sandbox.database.transaction() as tx:
        chat = await require_writable(tx, call.params.text("chat_id"))
        target = await reply.target(tx, chat)
        return await add_message(
            tx, chat, call.sandbox.bot.user, _with_markup(content, markup), target
        )


async def send_photo(call: Call) -> Json:
    """A photo by upload or file_id."""
    return await _send_media(call, "photo")


async def send_document(call: Call) -> Json:
    """A document by upload or file_id."""
    return await _send_media(call, "document")


async def _send_media(call: Call, kind: str) -> Json:
    media = await read_media(call, kind)
    markup = check_markup(call.params.json("reply_markup", "reply keyboard markup"))
    reply = _Reply(call.params)
    async with call.sandbox.database.transaction() as tx:
        chat = await require_writable(tx, call.params.text("chat_id"))
        target = await reply.target(tx, chat)
        content = _with_markup(await media.content(tx), markup)
        return await add_message(tx, chat, call.sandbox.bot.user, content, target)


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
    reply = _Reply(call.params)
    async with call.sandbox.database.transaction() as tx:
        chat = await require_writable(tx, call.params.text("chat_id"))
        target = await reply.target(tx, chat)
        group = {"media_group_id": await new_media_group(tx)}
        return [
            await add_message(
                tx, chat, call.sandbox.bot.user, await media.content(tx) | group, target
            )
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


def _with_markup(content: Json, markup: Json | None) -> Json:
    return content if markup is None else {**content, "reply_markup": markup}


class _Reply:
    """Which message a call replies to: `reply_parameters`, or the older `reply_to_message_id`."""

    def __init__(self, params: Params) -> None:
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

    async def target(self, tx: AsyncConnection, chat: ChatRow) -> MessageRow | None:
        """The message to reply to; None if there is none and none is needed.

        Raises:
            Refusal: it is not there.
        """
        if not self._message_id:
            return None
        elsewhere = self._chat_id is not None and str(self._chat_id) != str(chat.id)
        found = None if elsewhere else await find_message(tx, chat.id, self._message_id)
        if found is None and not self._optional:
            raise bad_request("message to be replied not found")
        return found
