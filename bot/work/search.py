"""Finding a message that was sent, by reading the ids that it may have.

A bot can read a message only as the one that another message replies to. So each look is a probe: a
silent reply that is deleted at once. It has the generation's Cancel button, by which another search
finds one that a crash or a lost answer has left behind.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from telegram import Message

from bot import keyboards
from bot.callbacks import ask_data, cancel_data, is_about
from bot.messages import data_of
from bot.messenger import Messenger
from bot.refusals import NotTaken
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db

PROBE: Final = "…"
"""What a probe says."""

_SHOWN = 16
"""Messages of the chat that are read from each end of the ids, with a probe that shows."""

_ASKED = 160
"""Ids that are tried from each end: those of other chats and of what is gone show nothing."""


Take = Callable[[Message], Awaitable[bool]]
"""Records a message that may be the one. False: it is another's."""


async def search(item: WorkItem, messenger: Messenger, take: Take) -> tuple[int, bool]:
    """Searches for the message that the item was sending, and deletes what earlier searches left.

    A status message beside the one that is found is deleted, too.

    Args:
        item: the generation.
        messenger: Telegram.
        take: is offered messages that may be the one, until it takes one.

    Returns:
        An id that all of them are below, and whether every id was read that the message may have.
    """
    chat_id, sending = item.photo.chat_id, item.generation.sending
    await messenger.keep_pace(chat_id)
    try:
        # Ids only rise: what was sent before this one is below it.
        last = await messenger.reply(
            chat_id,
            item.reply_to,
            PROBE,
            keyboards.cancel(item.texts, item.id),
            thread_id=item.thread_id,
            silent=True,
        )
    except NotTaken:
        return sending.after, False
    await _delete(item, messenger, last)
    ids = range(sending.after + 1, last.message_id)
    # What was sent followed what was known; but others may have talked in between.
    rest = ids[await _read(item, messenger, ids, take) :]
    passed = await _read(item, messenger, rest[::-1], take)
    return last.message_id, passed == len(rest)


async def _read(item: WorkItem, messenger: Messenger, ids: range, take: Take) -> int:
    """Reads messages until enough are read; gives how many of the ids were passed."""
    chat_id = item.photo.chat_id
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
            chat_id,
            message_id,
            PROBE,
            keyboards.cancel(item.texts, item.id),
            thread_id=item.thread_id,
        )
        if probe is not None:
            shown += 1
            await _delete(item, messenger, probe)
            if probe.reply_to_message is not None:
                await _look_at(item, messenger, probe.reply_to_message, take)
        if ids.step > 0:
            await _pass(item, message_id)
    return passed


async def _look_at(item: WorkItem, messenger: Messenger, message: Message, take: Take) -> None:
    """Has the message taken if it may be the one, and deletes it if it is left over."""
    if not _may_be_ours(item, message):
        return
    kind = item.generation.sending.kind
    is_found = bool(item.message_id(kind))
    is_its = _has_button(item, message)
    if is_its and (is_found or message.text == PROBE or kind != db.MESSAGE_KIND_STATUS):
        await _delete(item, messenger, message)
    elif not is_found and (is_its or _is_the_one(item, message)):
        await take(message)


def _may_be_ours(item: WorkItem, message: Message) -> bool:
    """Whether it is the bot's; in a channel Telegram does not say whose a post is."""
    if item.photo.channel_post:
        return message.from_user is None
    return message.from_user is not None and message.from_user.id == item.photo.bot_id


async def _pass(item: WorkItem, message_id: int) -> None:
    """Records that this is done up to this id: where it is cut short, another search goes on.

    So a process that dies in a search has got on: it has not died of this work, for now.
    """
    sending = db.Sending()
    sending.CopyFrom(item.generation.sending)
    sending.after = message_id
    await item.record(sending=sending, attempts=min(item.generation.attempts, 1))


async def _delete(item: WorkItem, messenger: Messenger, message: Message) -> None:
    item.memory.ids.see(message.chat_id, message.message_id)
    await messenger.delete(message.chat_id, message.message_id, item.texts.over)
    item.memory.ids.settle(message.chat_id, message.message_id)


def _has_button(item: WorkItem, message: Message) -> bool:
    """Whether it is a status message of this generation, or a probe."""
    return cancel_data(item.id) in data_of(message)


def _is_the_one(item: WorkItem, message: Message) -> bool:
    kind = item.generation.sending.kind
    if kind == db.MESSAGE_KIND_CAPTION:
        return ask_data(item.id) in data_of(message)
    if kind in (db.MESSAGE_KIND_PICTURE, db.MESSAGE_KIND_CHOICES) and message.reply_markup:
        about = {item.id, *(shown.generation.id for shown in item.shown)}
        return any(is_about(data, each) for data in data_of(message) for each in about)
    if item.photo.channel_post:  # where it has no buttons either
        return bool(message.photo) and message.caption == item.text_of(kind).strip()
    if kind == db.MESSAGE_KIND_PICTURE:  # an album, which has no buttons: its first one says it
        is_album = message.media_group_id is not None and len(item.shown) > 1
        return is_album and message.caption == item.text_of(kind).strip()
    if kind == db.MESSAGE_KIND_STATUS or message.reply_markup is not None:
        return False
    return message.text == item.text_of(kind).strip()  # as Telegram strips it
