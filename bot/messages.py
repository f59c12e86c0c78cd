"""What is read of a message: who sends it, whether to the bot, and which picture comes with it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from telegram import Bot, Document, Message, MessageEntity, PhotoSize
from telegram.constants import ChatType, MessageEntityType

from lookalike.text import printable

MOST_BYTES: Final = 20 * 1024 * 1024
"""What a bot may download (core.telegram.org/bots/api#getfile)."""

_UNITS: Final = "utf-16-le"
"""Entities count UTF-16 code units (core.telegram.org/bots/api#messageentity)."""

_UNTOLD: Final = frozenset({"", "application/octet-stream"})
"""Media types that say nothing; iPhones send photos so."""

_IMAGE_NAMES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".heic", ".heif", ".avif", ".gif"}
    | {".tif", ".tiff", ".bmp"}
)
"""Those that we cannot read, too: whoever sends one is told."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose a message is.

    Attributes:
        id: a user's, or that of the chat in whose name they write; never 0.
        language_code: as Telegram gives it, if it does.
    """

    id: int
    language_code: str | None


def sender_of(message: Message) -> Sender | None:
    """Who sent a message; None where Telegram does not say.

    All anonymous administrators have one user between them, and so have all channels that write in
    groups, and all posts that come from linked channels: `sender_chat` tells them apart
    (core.telegram.org/bots/api#message).
    """
    if message.sender_chat is not None:
        return Sender(message.sender_chat.id, None)
    user = message.from_user
    return None if user is None else Sender(user.id, user.language_code)


def thread_of(message: Message) -> int | None:
    """The topic that a message is in, if any."""
    # Without topics, a chain of replies has a thread's number as well.
    return message.message_thread_id if message.is_topic_message else None


def data_of(message: Message) -> list[object]:
    """The data of the buttons under a message."""
    markup = message.reply_markup
    if markup is None:
        return []
    return [button.callback_data for row in markup.inline_keyboard for button in row]


def is_via(message: Message) -> bool:
    """Whether it is one of the bot's own answers in inline mode, which somebody has chosen."""
    return message.via_bot is not None and message.via_bot.id == message.get_bot().id


def picture_of(message: Message, *, is_asked_about: bool = False) -> PhotoSize | Document | None:
    """The photo in its largest size, or the file that is to be taken for an image; or None.

    Its bytes decide later. A file that may be anything is tried in a private chat, and in a group
    where it is meant for the bot: elsewhere nobody wants to hear that it is no image.

    Args:
        message: with the photo.
        is_asked_about: whether somebody asks the bot about it in another message.
    """
    if message.photo:
        return message.photo[-1]
    document = message.document
    if document is None:
        return None
    media_type = (document.mime_type or "").strip().lower()
    suffix = PurePath(document.file_name or "").suffix.lower()
    if media_type.startswith("image/") or suffix in _IMAGE_NAMES:
        return document
    may_be_one = media_type in _UNTOLD and (document.file_size or 0) <= MOST_BYTES
    is_wanted = is_asked_about or is_for_the_bot(message)
    return document if may_be_one and is_wanted else None


def is_private(message: Message) -> bool:
    """Whether it is sent to the bot alone."""
    return message.chat.type == ChatType.PRIVATE


def is_of_the_bot(message: Message) -> bool:
    """Whether the bot itself has sent it."""
    return message.from_user is not None and message.from_user.id == message.get_bot().id


def is_for_the_bot(message: Message) -> bool:
    """Whether it is sent to the bot alone, replies to it, or names it."""
    replied = message.reply_to_message
    is_reply = replied is not None and is_of_the_bot(replied)
    return is_private(message) or is_reply or names_the_bot(message)


def names_the_bot(message: Message) -> bool:
    """Whether its words name the bot."""
    return any(_is_name_of(message.get_bot(), *each) for each in _marked(message))


def may_be_for_the_bot(message: Message) -> bool:
    """Whether it is, or may be: a command to any bot, or a photo of an album that may name it."""
    return (
        is_for_the_bot(message)
        or command_of(message) is not None
        or message.media_group_id is not None
    )


def command_of(message: Message) -> str | None:
    """The command that it begins with; "": another bot's. None: it begins with none."""
    for entity, text in _marked(message):
        if entity.type == MessageEntityType.BOT_COMMAND and entity.offset == 0:
            name, _, bot = text[1:].partition("@")
            is_ours = not bot or bot.lower() == message.get_bot().username.lower()
            return name.lower() if is_ours else ""
    return None


def words_of(message: Message) -> str:
    """What is written in it, without the bot's name and without the command that it begins with."""
    text = message.text or message.caption or ""
    named = [
        (entity.offset, entity.offset + entity.length)
        for entity, name in _marked(message)
        if _is_name_of(message.get_bot(), entity, name)
        or (entity.type == MessageEntityType.BOT_COMMAND and entity.offset == 0)
    ]
    units = text.encode(_UNITS, "surrogatepass")
    for start, end in reversed(named):
        units = units[: 2 * start] + units[2 * end :]
    kept = units.decode(_UNITS, "replace")
    return printable(re.sub(r" {2,}", " ", kept) if named else kept).strip()


def _marked(message: Message) -> Iterator[tuple[MessageEntity, str]]:
    """The entities, each with its text, whatever they are like."""
    units = (message.text or message.caption or "").encode(_UNITS, "surrogatepass")
    for entity in message.entities or message.caption_entities:
        start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
        yield entity, units[start:end].decode(_UNITS, "replace")


def _is_name_of(bot: Bot, entity: MessageEntity, text: str) -> bool:
    """Whether an entity names the bot, by its @name or as somebody without one is named."""
    match entity.type:
        case MessageEntityType.TEXT_MENTION:
            return entity.user is not None and entity.user.id == bot.id
        case MessageEntityType.MENTION | MessageEntityType.BOT_COMMAND:
            return text.partition("@")[2].lower() == bot.username.lower()
        case _:
            return False
