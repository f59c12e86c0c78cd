"""Messages that are sent once: what Telegram accepted is remembered until it is recorded."""

from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Message

from bot.services import Services
from bot.stages.work import Work
from protos.lookalike.db.v1 import db_pb2 as db


async def send_once(
    work: Work,
    services: Services,
    kind: str,
    send: Callable[[], Awaitable[Message]],
) -> Message:
    """Sends a message of this kind, unless Telegram has accepted it before.

    The caller records it with `recorded`. Should that fail, the next try finds the message here
    and sends nothing.
    """
    key = (work.id, kind)
    if key not in services.accepted:
        services.accepted[key] = await send()
    return services.accepted[key]


async def recorded(
    work: Work, services: Services, kind: str, to_state: db.GenerationState, **notes: Any
) -> None:
    """Records a message that was sent, and lets go of it."""
    await work.advance(to_state, **notes)
    services.accepted.pop((work.id, kind), None)
