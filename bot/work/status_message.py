"""The one message of a generation that shows how far it is, edited while it waits and runs.

It is sent as a text, and becomes a picture with the first preview. In the end it goes, or says that
the generation was cancelled.
"""

import contextlib

from telegram import Message

from bot import keyboards
from bot.messenger import Messenger, Preview
from bot.refusals import CannotDeliver, NotTaken
from bot.work import outbox
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db

_STATUS = db.MESSAGE_KIND_STATUS
_ENDING = db.MESSAGE_KIND_ENDING


async def show(
    item: WorkItem, messenger: Messenger, text: str, preview: Preview | None = None
) -> None:
    """Has the status message show `text`: sends it, or edits it if the pace allows that now.

    An edit shows the preview, too, which is asked for right before it; where it cannot be had, what
    was last seen stays.
    """
    memory, generation = item.memory, item.generation
    if not item.has_status or memory.dismissed:
        return
    if generation.sending.kind not in (db.MESSAGE_KIND_UNSPECIFIED, _STATUS):
        return
    if not generation.HasField("status_message_id"):
        await _send(item, messenger, text)
        return
    if memory.shown == text:
        return
    try:
        if await messenger.edit(
            item.photo.chat_id,
            generation.status_message_id,
            text,
            keyboards.cancel(item.texts, item.id),
            preview=preview,
            waiting_since=memory.shown_at,
        ):
            memory.show(text)
    except CannotDeliver:
        memory.dismissed = True  # the user has deleted it: do not force it on them


async def end(item: WorkItem, messenger: Messenger, text: str) -> bool:
    """Has the status message say how it ended, without a button; it is the ending from then on.

    Until that is recorded it is done again, which changes nothing.

    Returns:
        False: an ending is to be sent. There is no status message, the user has deleted it, or it
        has become a picture, of which Telegram makes no text.
    """
    if item.generation.sending.kind == _ENDING:
        return False  # one may have been sent
    await outbox.resolve(item, messenger)
    message_id = item.message_id(_STATUS)
    if not message_id:
        return False
    try:
        await messenger.rewrite_text(item.photo.chat_id, message_id, text)
    except NotTaken:
        return False
    await item.record(
        ending_message_id=message_id,
        status_message_id=0,
        sending=db.Sending(),
        user_notified=True,
    )
    return True


async def remove(item: WorkItem, messenger: Messenger) -> None:
    """Deletes the status message, also one that was sent but could not be recorded."""
    # Whoever has blocked us reads no status message either.
    with contextlib.suppress(CannotDeliver):
        await outbox.resolve(item, messenger)
    generation = item.generation
    if generation.HasField("status_message_id"):
        await messenger.delete(item.photo.chat_id, generation.status_message_id, item.texts.over)
        await item.record(status_message_id=0)


async def _send(item: WorkItem, messenger: Messenger, text: str) -> None:
    photo = item.photo

    async def post() -> Message:
        message = await messenger.reply(
            photo.chat_id,
            item.reply_to,
            text,
            keyboards.cancel(item.texts, item.id),
            thread_id=item.thread_id,
        )
        item.memory.show(text)
        return message

    item.memory.dismissed = not await outbox.send(item, messenger, _STATUS, post)
