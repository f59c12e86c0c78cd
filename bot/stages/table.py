"""Which stage a generation's state calls for."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.services import Services
from bot.stages import caption, close, deliver, follow, store, submit
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db

Stage = Callable[[WorkItem, Services], Awaitable[None]]

STAGES: Final[Mapping[int, Stage]] = {
    db.GENERATION_STATE_RECEIVED: store.run,
    db.GENERATION_STATE_STORED: caption.run,
    db.GENERATION_STATE_CAPTIONED: submit.run,
    db.GENERATION_STATE_QUEUED: follow.run,
    db.GENERATION_STATE_RUNNING: follow.run,
    db.GENERATION_STATE_FINISHED: deliver.run,
    db.GENERATION_STATE_DELIVERED: close.run,
    db.GENERATION_STATE_FAILED: close.run,
    db.GENERATION_STATE_REFUSED: close.run,
    db.GENERATION_STATE_CANCELLED: close.run,
    db.GENERATION_STATE_UNDELIVERABLE: close.run,
}
"""By state. `follow` calls `fetch` for a job that has finished: that is no state of its own."""
