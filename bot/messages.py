"""What is read of a message: who sends it, and which picture comes with it."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from telegram import Document, Message, PhotoSize
from telegram.constants import ChatType, MessageEntityType

MOST_BYTES: Final = 20 * 1024 * 1024
"""What a bot may download (core.telegram.org/bots/api#getfile)."""

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


def addressed_in(message: Message) -> str | None:
    """What a caption says to the bot that it mentions; None: it does not mention it."""
    bot = message.get_bot()
    caption, name = (message.caption or "").encode("utf-16-le"), f"@{bot.username}".lower()
    is_mentioned = False
    for entity in reversed(message.caption_entities):
        start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
        if entity.type == MessageEntityType.TEXT_MENTION:
            is_it = entity.user is not None and entity.user.id == bot.id
        else:
            text = caption[start:end].decode("utf-16-le", "replace")
            is_it = entity.type == MessageEntityType.MENTION and text.lower() == name
        if is_it:
            caption, is_mentioned = caption[:start] + caption[end:], True
    return " ".join(caption.decode("utf-16-le", "replace").split()) if is_mentioned else None


def picture_of(message: Message) -> PhotoSize | Document | None:
    """The photo in its largest size, or the file that is to be taken for an image; or None.

    Its bytes decide later. A file that may be anything is tried in a private chat, and in a group
    where it is meant for the bot: elsewhere nobody wants to hear that it is no image.
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
    return document if may_be_one and is_for_the_bot(message) else None


def is_for_the_bot(message: Message) -> bool:
    """Whether it is sent to the bot alone, replies to it, or names it."""
    if message.chat.type == ChatType.PRIVATE:
        return True
    bot = message.get_bot()
    replied = message.reply_to_message
    if replied is not None and replied.from_user is not None and replied.from_user.id == bot.id:
        return True
    return f"@{bot.username}".lower() in (message.caption or message.text or "").lower()
