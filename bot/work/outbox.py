"""Messages that are sent once: what Telegram accepted is remembered until it is recorded."""

from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Message

from bot.work.item import WorkItem
from bot.work.memory import Sent
from protos.lookalike.db.v1 import db_pb2 as db


async def send_once(item: WorkItem, kind: Sent, send: Callable[[], Awaitable[Message]]) -> Message:
    """Sends a message of this kind, unless Telegram has accepted it before.

    The caller records it with `recorded`. Should that fail, the next try finds the message here
    and sends nothing.
    """
    accepted = item.memory.accepted
    if kind not in accepted:
        accepted[kind] = await send()
    return accepted[kind]


async def recorded(item: WorkItem, kind: Sent, to_state: db.GenerationState, **patch: Any) -> None:
    """Records a message that was sent, and lets go of it."""
    await item.advance(to_state, **patch)
    item.memory.accepted.pop(kind, None)
