"""Any end -> closed: tell the user how it ended, then tidy up what the work has left."""

from collections.abc import Sequence
from typing import Final

from bot.clients.generator import GeneratorUnavailable, JobRejected
from bot.health import Health
from bot.observers import Closed, Ending
from bot.services import Services
from bot.work import outbox, status_message
from bot.work.item import RetryLater, WorkItem
from protos.lookalike.db.v1 import db_pb2 as db

_PREFIX: Final = "GENERATION_STATE_"


async def run(item: WorkItem, services: Services) -> None:
    """The stage."""
    if not item.generation.user_notified and _is_told(item):
        await _tell(item, services)
    await status_message.remove(item, services.messenger)
    if item.generation.parameters.prompt:  # else it was never submitted
        try:
            for part in item.parts:
                await services.generator.delete(part.id)
        except (GeneratorUnavailable, JobRejected) as error:
            services.generator_health.failing(Health.UNAVAILABLE, error)
            raise RetryLater(None, getattr(error, "retry_after", None)) from error
        services.generator_health.ok()
    await item.close()
    event = Closed(item.id, _endings(item))
    for observer in services.observers:
        observer.closed(event)


def _endings(item: WorkItem) -> Sequence[Ending]:
    """How each picture ended; of a set some may have failed, and the rest was delivered."""
    whole, members = item.generation, {member.place: member for member in item.row.members}
    parts = [members.get(part.place, whole) for part in item.parts]
    ended = [whole if part.HasField("picture") else part for part in parts]
    return [
        Ending(db.GenerationState.Name(each.state).removeprefix(_PREFIX).lower(), each.error.code)
        for each in ended
    ]


def _is_told(item: WorkItem) -> bool:
    """Whether anybody hears how it ended; in a channel there is a picture, or silence.

    What has no status message is cancelled by a command, which says so for all of it.
    """
    if item.state == db.GENERATION_STATE_CANCELLED:
        return item.has_status
    return item.state != db.GENERATION_STATE_UNDELIVERABLE and not item.photo.channel_post


async def _tell(item: WorkItem, services: Services) -> None:
    photo, text = item.photo, item.text_of(db.MESSAGE_KIND_ENDING)
    is_cancelled = item.state == db.GENERATION_STATE_CANCELLED
    if is_cancelled and await status_message.end(item, services.messenger, text):
        return
    await outbox.send(
        item,
        services.messenger,
        db.MESSAGE_KIND_ENDING,
        lambda: services.messenger.reply(
            photo.chat_id,
            item.reply_to,
            text,
            thread_id=item.thread_id,
            silent=is_cancelled,  # as an edit is: whoever has cancelled it knows
        ),
        user_notified=True,
    )
