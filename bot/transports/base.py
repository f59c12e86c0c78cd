"""What every transport is, and the door to which it brings what comes in."""

import asyncio
from typing import Any, Final, Protocol, TypeAlias

from telegram import Update

from bot.readiness import Stuck

UPDATES: Final = (
    Update.MESSAGE,
    Update.CALLBACK_QUERY,
    Update.INLINE_QUERY,
    Update.CHANNEL_POST,
    Update.MESSAGE_REACTION,
)
"""The kinds of updates that the bot acts on."""

Json: TypeAlias = dict[str, Any]
"""An object of the Bot API, as JSON has it."""


class NotNow(Exception):
    """An update cannot be taken just now, and has to come again."""


class Door(Protocol):
    """Through which every update comes in, one at a time."""

    async def put(self, update: Json) -> None:
        """Takes an `Update` with a whole number as its `update_id`; it may be confirmed then.

        Raises:
            NotNow: it must not be confirmed yet.
        """

    async def pass_over(self, update_id: int | None, data: bytes, reason: str) -> None:
        """Takes what nobody can decode, with its number if that is known; see `put`."""


class Transport(Protocol):
    """Brings Telegram's updates."""

    async def receive(self, door: Door, stop: asyncio.Event) -> None:
        """Brings updates to the door until `stop` is set.

        Raises:
            StartError: there is no point in going on; it says why.
        """

    def check(self) -> str | None:
        """Why updates do not come in just now, which begins with a `NotReady`; None if they do."""

    def check_progress(self) -> Stuck | None:
        """Whether that is stuck here, and not since somebody else is away; None: it is not."""
