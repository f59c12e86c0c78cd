"""Whether the bot does its work just now, and if not, why; and whether it gets on at all."""

import time
from enum import StrEnum
from typing import Final

READY_SECONDS: Final = 60.0
"""A long poll, or the time between two looks at a webhook, and some slack."""

STUCK_SECONDS: Final = 30.0
"""Longer than anything takes that does not show in between that it gets on."""


class Stuck(StrEnum):
    """What makes no progress, though it could; a restart may mend that."""

    TICK = "no tick has begun or ended in time"
    UPDATES = "what comes in makes no progress"


class NotReady(StrEnum):
    """Why the bot does not do its work; the value is what an operator is told."""

    POLLING_CONFLICT = "another program polls with this token"
    TELEGRAM_SILENT = f"Telegram has not answered for {READY_SECONDS:g} s"
    UNDELIVERABLE = "Telegram cannot deliver to BOT_PUBLIC_URL"
    UPDATES_STUCK = f"updates wait, and none could be taken for {READY_SECONDS:g} s"
    DATABASE_SILENT = f"dbservice has given no work for {READY_SECONDS:g} s"


def is_recent(moment: float) -> bool:
    """Whether a moment, in seconds of `time.monotonic`, is at most READY_SECONDS ago."""
    return moment >= time.monotonic() - READY_SECONDS
