"""Finding a message that was sent, by reading the ids that it may have.

A bot can read a message only as the one that another message replies to. So each look is a probe: a
silent reply that is deleted at once. It has the generation's Cancel button, by which a later search
finds one that a crash has left behind; and it is recorded while it is there.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message

from bot.callbacks import cancel_data
from bot.messenger import Messenger, NotTaken
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db

PROBE: Final = "…"
"""What a probe says."""

_AT_EACH_END = 16
"""Ids that are read: the oldest, as what was sent follows what was known, and the newest."""


class Search(NamedTuple):
    """What a search has found.

    Attributes:
        found: messages that may be the one, the oldest first; two rows may say the same.
        end: all of them are older than this id.
        complete: whether every id was read that it may have.
    """

    found: list[Message]
    end: int
    complete: bool


async def search(item: WorkItem, messenger: Messenger) -> Search:
    """Searches for the message that the item was sending, and deletes what earlier searches left.

    A status message that another one has replaced is deleted, too.
    """
    chat_id, sending = item.photo.chat_id, item.generation.sending
    if sending.HasField("probe_message_id"):
        await messenger.delete(chat_id, sending.probe_message_id)
    await messenger.keep_pace(chat_id)
    try:
        # Ids only rise: what was sent before this one is below it.
        last = await messenger.reply(
            chat_id, item.photo.message_id, PROBE, cancel_button(item), silent=True
        )
    except NotTaken:
        return Search([], sending.after, complete=False)
    await _end(item, messenger, last)
    ids = range(sending.after + 1, last.message_id)
    unread = _unread(item, ids, 2 * _AT_EACH_END + 1)
    complete = len(unread) <= 2 * _AT_EACH_END
    if not complete:
        unread = unread[:_AT_EACH_END] + _unread(item, reversed(ids), _AT_EACH_END)[::-1]
    found: list[Message] = []
    for message_id in unread:
        message = await _read(item, messenger, message_id)
        if message is None or message.from_user is None:
            continue
        if message.from_user.id != item.photo.bot_id:
            continue
        is_its = _has_button(item, message)
        is_status = is_its and sending.kind == db.MESSAGE_KIND_STATUS and message.text != PROBE
        if (is_status and not found) or (not is_its and _says_the_same(item, message)):
            found.append(message)
        elif is_its:
            await messenger.delete(chat_id, message_id)
    return Search(found, last.message_id, complete)


def cancel_button(item: WorkItem) -> InlineKeyboardMarkup:
    """The generation's Cancel button."""
    return _button(item.texts.cancel_button, item.id)


@lru_cache(maxsize=1000)  # each tick offers an edit of each status message, and few are taken
def _button(text: str, generation_id: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup.from_button(
        InlineKeyboardButton(text, callback_data=cancel_data(generation_id))
    )


def _unread(item: WorkItem, ids: Iterable[int], most: int) -> list[int]:
    """The first of the ids that may be the message's."""
    chat_id, ours = item.photo.chat_id, item.memory.ids
    known = {item.photo.caption_message_id, item.generation.status_message_id}
    return [*islice((i for i in ids if i not in known and not ours.is_settled(chat_id, i)), most)]


async def _read(item: WorkItem, messenger: Messenger, message_id: int) -> Message | None:
    chat_id = item.photo.chat_id
    await messenger.keep_pace(chat_id)
    probe = await messenger.reply_if_there(chat_id, message_id, PROBE, cancel_button(item))
    if probe is None:
        return None
    await _end(item, messenger, probe)
    return probe.reply_to_message


async def _end(item: WorkItem, messenger: Messenger, probe: Message) -> None:
    sending = db.Sending()
    sending.CopyFrom(item.generation.sending)
    sending.probe_message_id = probe.message_id
    await item.record(sending=sending)
    await messenger.delete(probe.chat_id, probe.message_id)
    item.memory.ids.settle(probe.chat_id, probe.message_id)


def _has_button(item: WorkItem, message: Message) -> bool:
    markup = message.reply_markup
    return markup is not None and any(
        button.callback_data == cancel_data(item.id)
        for row in markup.inline_keyboard
        for button in row
    )


def _says_the_same(item: WorkItem, message: Message) -> bool:
    kind = item.generation.sending.kind
    if kind == db.MESSAGE_KIND_STATUS or message.reply_markup is not None:
        return False
    if kind == db.MESSAGE_KIND_PICTURE:
        said = message.caption if message.photo else None
    else:
        said = message.text
    return said == item.text_of(kind).strip()  # as Telegram strips it
