"""Finding a message that was sent, by reading the ids that it may have.

A bot can read a message only as the one that another message replies to. So each look is a probe: a
silent reply that is deleted at once. It has the generation's Cancel button, by which another search
finds one that a crash or a lost answer has left behind.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message

from bot.callbacks import cancel_data
from bot.messenger import Messenger, NotTaken
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db

PROBE: Final = "…"
"""What a probe says."""

_SHOWN = 16
"""Messages of the chat that are read from each end of the ids, with a probe that shows."""

_ASKED = 160
"""Ids that are tried from each end: those of other chats and of what is gone show nothing."""


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

    A status message beside the one that is found is deleted, too.
    """
    chat_id, sending = item.photo.chat_id, item.generation.sending
    await messenger.keep_pace(chat_id)
    try:
        # Ids only rise: what was sent before this one is below it.
        last = await messenger.reply(
            chat_id,
            item.photo.message_id,
            PROBE,
            cancel_button(item),
            thread_id=item.thread_id,
            silent=True,
        )
    except NotTaken:
        return Search([], sending.after, complete=False)
    await _delete(item, messenger, last)
    ids = range(sending.after + 1, last.message_id)
    # What was sent followed what was known; but others may have talked in between.
    oldest, passed = await _read(item, messenger, ids)
    rest = ids[passed:]
    newest, passed = await _read(item, messenger, rest[::-1])
    found: list[Message] = []
    for message in (*oldest, *newest[::-1]):
        is_its = _has_button(item, message)
        if is_its and (sending.kind != db.MESSAGE_KIND_STATUS or found):
            await _delete(item, messenger, message)
        else:
            found.append(message)
    return Search(found, last.message_id, passed == len(rest))


def cancel_button(item: WorkItem) -> InlineKeyboardMarkup:
    """The generation's Cancel button."""
    return _button(item.texts.cancel_button, item.id)


@lru_cache(maxsize=1000)  # each tick offers an edit of each status message, and few are taken
def _button(text: str, generation_id: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup.from_button(
        InlineKeyboardButton(text, callback_data=cancel_data(generation_id))
    )


async def _read(item: WorkItem, messenger: Messenger, ids: range) -> tuple[list[Message], int]:
    """Reads messages until enough are read, and deletes probes of earlier searches among them.

    Returns:
        Those that may be the generation's, and how many of the ids were passed.
    """
    chat_id, bot_id = item.photo.chat_id, item.photo.bot_id
    messages: list[Message] = []
    shown = asked = passed = 0
    for message_id in ids:
        if shown == _SHOWN or asked == _ASKED:
            break
        passed += 1
        if item.memory.ids.is_settled(chat_id, message_id):
            continue
        asked += 1
        await messenger.keep_pace(chat_id)
        probe = await messenger.reply_if_there(
            chat_id, message_id, PROBE, cancel_button(item), thread_id=item.thread_id
        )
        if probe is None:
            continue
        shown += 1
        await _delete(item, messenger, probe)
        message = probe.reply_to_message
        if message is not None and message.from_user and message.from_user.id == bot_id:
            is_its = _has_button(item, message)
            if is_its and message.text == PROBE:
                await _delete(item, messenger, message)
            elif is_its or _says_the_same(item, message):
                messages.append(message)
        if ids.step > 0 and not messages:
            await _pass(item, message_id)
    return messages, passed


async def _pass(item: WorkItem, message_id: int) -> None:
    """Records that nothing is up to this id: where this search is cut short, another goes on."""
    sending = db.Sending()
    sending.CopyFrom(item.generation.sending)
    sending.after = message_id
    await item.record(sending=sending)


async def _delete(item: WorkItem, messenger: Messenger, message: Message) -> None:
    item.memory.ids.see(message.chat_id, message.message_id)
    await messenger.delete(message.chat_id, message.message_id)
    item.memory.ids.settle(message.chat_id, message.message_id)


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
