"""What every transport is."""

import asyncio
from typing import Any, Final, Protocol

from telegram import Update
from telegram.ext import Application

from bot.readiness import NotReady

UPDATES: Final = (Update.MESSAGE, Update.CALLBACK_QUERY)
"""The kinds of updates that the bot acts on."""


class Transport(Protocol):
    """Brings Telegram's updates to an application."""

    async def receive(
        self, application: "Application[Any, Any, Any, Any, Any, Any]", stop: asyncio.Event
    ) -> None:
        """Brings updates until `stop` is set.

        Raises:
            StartError: there is no point in going on; it says why.
        """

    def check(self) -> NotReady | None:
        """Why updates do not come in just now; None if they do."""
