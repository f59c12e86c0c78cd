"""The one message of a generation that shows how far it is, edited while it waits and runs."""

import contextlib
from functools import lru_cache

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message

from bot.callbacks import cancel_data
from bot.messenger import CannotDeliver, Messenger, TelegramUnavailable
from bot.work.item import WorkItem
from bot.work.memory import Sent
from bot.work.outbox import recorded, send_once

_SEARCHED = 32  # ids; a status message follows the caption at once, so it is among the next few


async def show(item: WorkItem, messenger: Messenger, text: str) -> None:
    """Has the status message show `text`: sends it, or edits it if the pace allows that now."""
    memory, generation = item.memory, item.generation
    if memory.dismissed:
        return
    if not generation.HasField("status_message_id") or generation.HasField("status_after"):
        await _send(item, messenger, text)
        return
    if memory.shown == text:
        return
    try:
        if await messenger.edit(
            item.photo.chat_id,
            generation.status_message_id,
            text,
            _buttons(item),
            waiting_since=memory.shown_at,
        ):
            memory.show(text)
    except CannotDeliver:
        memory.dismissed = True  # the user has deleted it: do not force it on them


async def remove(item: WorkItem, messenger: Messenger) -> None:
    """Deletes the status message, also one that was sent but could not be recorded."""
    generation, chat_id = item.generation, item.photo.chat_id
    unrecorded = item.memory.accepted.pop(Sent.STATUS, None)
    if unrecorded is not None:
        await messenger.delete(chat_id, unrecorded.message_id)
    elif generation.HasField("status_after"):
        # Whoever has blocked us reads no status message either.
        with contextlib.suppress(CannotDeliver):
            await _delete_lost(item, messenger, item.texts.submitted)
    if generation.HasField("status_message_id"):
        await messenger.delete(chat_id, generation.status_message_id)
    if generation.HasField("status_message_id") or generation.HasField("status_after"):
        await item.record(status_message_id=0, status_after=0)


async def _send(item: WorkItem, messenger: Messenger, text: str) -> None:
    photo = item.photo
    if Sent.STATUS not in item.memory.accepted:
        if item.generation.HasField("status_after"):
            await _delete_lost(item, messenger, text)
        await item.record(status_after=max(photo.message_id, photo.caption_message_id))
    try:
        message = await send_once(
            item,
            Sent.STATUS,
            lambda: messenger.reply(photo.chat_id, photo.message_id, text, _buttons(item)),
        )
    except TelegramUnavailable as error:
        if error.not_done:
            await item.record(status_after=0)  # so there is none to look for
        raise
    item.memory.show(text)
    await recorded(
        item, Sent.STATUS, item.state, status_message_id=message.message_id, status_after=0
    )


async def _delete_lost(item: WorkItem, messenger: Messenger, text: str) -> None:
    """Finds and deletes status messages that Telegram accepted before a crash kept their record.

    A first probe tells where to stop. Then one message after the other is read, by a reply to it.
    Every probe is recorded as the status message for as long as it is there.
    """
    chat_id, buttons = item.photo.chat_id, _buttons(item)
    if item.generation.HasField("status_message_id"):
        await messenger.delete(chat_id, item.generation.status_message_id)  # an earlier probe

    async def end(probe: Message) -> None:
        await item.record(status_message_id=probe.message_id)
        await messenger.delete(chat_id, probe.message_id)

    last = await messenger.reply(chat_id, item.photo.message_id, text, buttons, silent=True)
    await end(last)
    first = item.generation.status_after + 1
    for message_id in range(first, min(first + _SEARCHED, last.message_id)):
        probe = await messenger.reply_if_there(chat_id, message_id, text, buttons)
        if probe is not None:
            if _is_status_of(item, probe.reply_to_message):
                await messenger.delete(chat_id, message_id)
            await end(probe)
    await item.record(status_message_id=0)


def _is_status_of(item: WorkItem, message: Message | None) -> bool:
    markup = message.reply_markup if message is not None else None
    return markup is not None and any(
        button.callback_data == cancel_data(item.id)
        for row in markup.inline_keyboard
        for button in row
    )


def _buttons(item: WorkItem) -> InlineKeyboardMarkup:
    return _cancel_button(item.texts.cancel_button, item.id)


@lru_cache(maxsize=1000)  # each tick offers an edit of each message, and few are taken
def _cancel_button(text: str, generation_id: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup.from_button(
        InlineKeyboardButton(text, callback_data=cancel_data(generation_id))
    )
