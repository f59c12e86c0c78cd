"""The one message of a generation that shows how far it is, edited while it waits and runs."""

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.callbacks import cancel_data
from bot.messenger import CannotDeliver
from bot.services import Services
from bot.stages.outbox import recorded, send_once
from bot.stages.work import Work
from bot.texts import en


async def show(work: Work, services: Services, text: str) -> None:
    """Has the status message show `text`: sends it, or edits it if the pace allows that now."""
    if work.id in services.dismissed:
        return
    buttons = InlineKeyboardMarkup.from_button(
        InlineKeyboardButton(en.CANCEL_BUTTON, callback_data=cancel_data(work.id))
    )
    photo = work.photo
    if not work.generation.HasField("status_message_id"):
        message = await send_once(
            work,
            services,
            "status",
            lambda: services.messenger.reply(photo.chat_id, photo.message_id, text, buttons),
        )
        services.show(work.id, text)
        await recorded(work, services, "status", work.state, status_message_id=message.message_id)
        return
    shown, _ = services.shown.get(work.id, ("", 0))
    if shown == text:
        return
    try:
        if await services.messenger.edit(
            photo.chat_id, work.generation.status_message_id, text, buttons
        ):
            services.show(work.id, text)
    except CannotDeliver:
        services.dismissed.add(work.id)  # the user has deleted it: do not force it on him


async def remove(work: Work, services: Services) -> None:
    """Deletes the status message, also one that was sent but could not be recorded."""
    unrecorded = services.accepted.pop((work.id, "status"), None)
    if unrecorded is not None:
        await services.messenger.delete(work.photo.chat_id, unrecorded.message_id)
    if work.generation.HasField("status_message_id"):
        await services.messenger.delete(work.photo.chat_id, work.generation.status_message_id)
        await work.record(status_message_id=0)
