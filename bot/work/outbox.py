"""Messages that are sent once: what may have been sent is looked for before it is sent again.

A generation sends one message at a time. Before it does, it records which; with the message's id it
records that nothing is being sent any more. Whoever finds that record open does not know whether
the message is there: a process has died, or the network has cut an answer
(docs/decisions/0040-looked-for-before-sent-again.md).
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from telegram import Message

from bot.clients.errors import MessageTaken
from bot.messenger import Messenger
from bot.refusals import CannotDeliver, Moved, TelegramUnavailable
from bot.work.item import RetryLater, WorkItem
from bot.work.search import search
from protos.lookalike.db.v1 import db_pb2 as db

_log = logging.getLogger(__name__)

_MOST_COPIES = 2


async def send(
    item: WorkItem,
    messenger: Messenger,
    kind: db.MessageKind,
    post: Callable[[], Awaitable[Message | Sequence[Message]]],
    to_state: db.GenerationState | None = None,
    **patch: Any,
) -> bool:
    """Has the message in the chat once, and records it.

    Args:
        item: the generation.
        messenger: Telegram.
        kind: which of its messages.
        post: sends it, or an album.
        to_state: the state that it is in then; None: the same.
        patch: what is recorded with the message.

    Returns:
        Whether it is there. If not, it may be there twice and cannot be looked for, so that it is
        not sent a third time, and counts as sent.
    """
    memory = item.memory
    await intend(item, messenger, kind)
    if not _is_unsent(item):
        if await _find(item, messenger, to_state, patch):
            return True
        if item.generation.sending.unseen >= _MOST_COPIES:
            _log.warning("A message of %s may be there twice; it is not sent again.", item.id)
            if kind != db.MESSAGE_KIND_STATUS:  # else it says that there is to be no other
                await item.advance(to_state or item.state, sending=db.Sending(), **patch)
            return False
    memory.unsent = None
    try:
        posted = await post()
    except TelegramUnavailable as error:
        if error.not_done:
            memory.unsent = item.generation.sending
        raise
    except (CannotDeliver, Moved):
        memory.unsent = item.generation.sending
        raise
    messages = [posted] if isinstance(posted, Message) else posted
    memory.ids.see(messages[-1].chat_id, messages[-1].message_id)
    memory.accepted = item.generation.sending, messages
    if not await _record(item, messages, to_state, sending=db.Sending(), **patch):
        raise RetryLater(None)  # who looked for the same words took it for theirs
    return True


async def intend(item: WorkItem, messenger: Messenger, kind: db.MessageKind, **patch: Any) -> None:
    """Records that a message of this kind is about to be sent, unless that is recorded already.

    What may have been sent of another kind is looked for first.
    """
    if item.generation.sending.kind == kind:
        return
    await resolve(item, messenger)
    photo, memory = item.photo, item.memory
    after = max(photo.message_id, item.reply_to, memory.ids.newest(photo.chat_id))
    memory.unsent = db.Sending(kind=kind, after=after)
    await item.record(sending=memory.unsent, **patch)


async def resolve(item: WorkItem, messenger: Messenger) -> None:
    """Looks for what may have been sent, and records it if it is there."""
    if item.generation.HasField("sending") and not _is_unsent(item):
        await _find(item, messenger, None, {})


def _is_unsent(item: WorkItem) -> bool:
    return item.memory.unsent == item.generation.sending


async def _find(
    item: WorkItem, messenger: Messenger, to_state: db.GenerationState | None, patch: dict[str, Any]
) -> bool:
    """Records the message if Telegram has accepted it; else that it is not there, or not seen."""
    if item.memory.accepted is not None:
        sending, accepted = item.memory.accepted
        is_it = sending == item.generation.sending
        if is_it and await _record(item, accepted, to_state, sending=db.Sending(), **patch):
            return True
    kind, attempts = item.generation.sending.kind, item.generation.attempts

    async def take(message: Message) -> bool:
        """Records it before the search has ended: whoever dies meanwhile has not lost it again."""
        is_ours = await _record(item, [message], None, **patch)
        if is_ours:
            _log.info("Found what %s had sent: message %d", item.id, message.message_id)
        return is_ours

    async with item.memory.ids.looking(item.photo.chat_id):
        end, complete = await search(item, messenger, take)
        if item.message_id(kind):
            await item.advance(to_state or item.state, sending=db.Sending(), **patch)
            return True
        unseen = item.generation.sending.unseen + (not complete)
        # The search has not ended the process; what was before it, and comes now, still may.
        sending = db.Sending(kind=kind, after=end, unseen=unseen)
        await item.record(sending=sending, attempts=attempts)
    return False


async def _record(
    item: WorkItem,
    messages: Sequence[Message],
    to_state: db.GenerationState | None,
    **patch: Any,
) -> bool:
    """Records the messages. False: they are another's."""
    memory = item.memory
    patch |= item.sent(item.generation.sending.kind, messages)
    try:
        await item.advance(to_state or item.state, **patch)
    except MessageTaken:
        is_ours = False
    else:
        is_ours = True
    memory.accepted = None
    for message in messages:
        memory.ids.settle(message.chat_id, message.message_id)
    return is_ours
