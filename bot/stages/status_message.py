"""The one message of a generation that shows how far it is, edited while it waits and runs."""

import contextlib

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message

from bot.callbacks import cancel_data
from bot.messenger import CannotDeliver, TelegramAway
from bot.services import Services
from bot.stages.outbox import recorded, send_once
from bot.stages.work import Work
from bot.texts import en

_SEARCHED = 32  # ids; a status message follows the caption at once, so it is among the next few


async def show(work: Work, services: Services, text: str) -> None:
    """Has the status message show `text`: sends it, or edits it if the pace allows that now."""
    if work.id in services.dismissed:
        return
    if not work.generation.HasField("status_message_id") or work.generation.HasField(
        "status_after"
    ):
        await _send(work, services, text)
        return
    shown, _ = services.shown.get(work.id, ("", 0))
    if shown == text:
        return
    try:
        if await services.messenger.edit(
            work.photo.chat_id, work.generation.status_message_id, text, _buttons(work)
        ):
            services.show(work.id, text)
    except CannotDeliver:
        services.dismissed.add(work.id)  # the user has deleted it: do not force it on him


async def remove(work: Work, services: Services) -> None:
    """Deletes the status message, also one that was sent but could not be recorded."""
    generation, chat_id = work.generation, work.photo.chat_id
    unrecorded = services.accepted.pop((work.id, "status"), None)
    if unrecorded is not None:
        await services.messenger.delete(chat_id, unrecorded.message_id)
    elif generation.HasField("status_after"):
        # Whoever has blocked us reads no status message either.
        with contextlib.suppress(CannotDeliver):
            await _delete_lost(work, services, en.submitted())
    if generation.HasField("status_message_id"):
        await services.messenger.delete(chat_id, generation.status_message_id)
    if generation.HasField("status_message_id") or generation.HasField("status_after"):
        await work.record(status_message_id=0, status_after=0)


async def _send(work: Work, services: Services, text: str) -> None:
    photo = work.photo
    if (work.id, "status") not in services.accepted:
        if work.generation.HasField("status_after"):
            await _delete_lost(work, services, text)
        await work.record(status_after=max(photo.message_id, photo.caption_message_id))
    try:
        message = await send_once(
            work,
            services,
            "status",
            lambda: services.messenger.reply(photo.chat_id, photo.message_id, text, _buttons(work)),
        )
    except TelegramAway as error:
        if error.not_done:
            await work.record(status_after=0)  # so there is none to look for
        raise
    services.show(work.id, text)
    await recorded(
        work,
        services,
        "status",
        work.state,
        status_message_id=message.message_id,
        status_after=0,
    )


async def _delete_lost(work: Work, services: Services, text: str) -> None:
    """Finds and deletes status messages that Telegram accepted before a crash kept their record.

    A first probe tells where to stop. Then one message after the other is read, by a reply to it.
    Every probe is recorded as the status message for as long as it is there.
    """
    chat_id, messenger, buttons = work.photo.chat_id, services.messenger, _buttons(work)
    if work.generation.HasField("status_message_id"):
        await messenger.delete(chat_id, work.generation.status_message_id)  # an earlier probe

    async def end(probe: Message) -> None:
        await work.record(status_message_id=probe.message_id)
        await messenger.delete(chat_id, probe.message_id)

    last = await messenger.reply(chat_id, work.photo.message_id, text, buttons, silent=True)
    await end(last)
    first = work.generation.status_after + 1
    for message_id in range(first, min(first + _SEARCHED, last.message_id)):
        probe = await messenger.reply_if_there(chat_id, message_id, text, buttons)
        if probe is not None:
            if _is_status_of(work, probe.reply_to_message):
                await messenger.delete(chat_id, message_id)
            await end(probe)
    await work.record(status_message_id=0)


def _is_status_of(work: Work, message: Message | None) -> bool:
    markup = message.reply_markup if message is not None else None
    return markup is not None and any(
        button.callback_data == cancel_data(work.id)
        for row in markup.inline_keyboard
        for button in row
    )


def _buttons(work: Work) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup.from_button(
        InlineKeyboardButton(en.CANCEL_BUTTON, callback_data=cancel_data(work.id))
    )
