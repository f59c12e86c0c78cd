"""The stages of the work, and which of them a generation's state calls for.

A stage takes a leased generation one state further and is safe to repeat: it first looks at what
its earlier self recorded, and records before it goes on.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.services import Services
from bot.stages import caption, close, deliver, store, submit
from bot.stages.work import Work
from protos.lookalike.db.v1 import db_pb2 as db

Stage = Callable[[Work, Services], Awaitable[None]]

STAGES: Final[Mapping[int, Stage]] = {
    db.GENERATION_STATE_RECEIVED: store.run,
    db.GENERATION_STATE_STORED: caption.run,
    db.GENERATION_STATE_CAPTIONED: submit.run,
    db.GENERATION_STATE_FINISHED: deliver.run,
    db.GENERATION_STATE_DELIVERED: close.run,
    db.GENERATION_STATE_FAILED: close.run,
    db.GENERATION_STATE_REFUSED: close.run,
    db.GENERATION_STATE_CANCELLED: close.run,
    db.GENERATION_STATE_UNDELIVERABLE: close.run,
}
"""By state. What is queued or running is followed instead, all in one request: `follow`."""

FOLLOWED: Final = frozenset({db.GENERATION_STATE_QUEUED, db.GENERATION_STATE_RUNNING})
