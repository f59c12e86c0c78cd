"""How many updates are handled at a time, and whose."""

from collections.abc import Awaitable
from typing import Any, Final

from telegram import Update
from telegram.ext import BaseUpdateProcessor

from bot.access import party_of
from bot.handing import Handing
from bot.turns import Turns
from lookalike import tracing

_AT_ONCE: Final = 256
_OF_ONE_USER: Final = 16

_MOST_WAITING: Final = 100_000


class FairUpdateProcessor(BaseUpdateProcessor):
    """Handles updates at once, but of one user a few: the others of theirs wait, nobody else's."""

    def __init__(self, traces: Handing) -> None:
        """Handles nothing yet; `traces` has the `traceparent` of updates that came in."""
        super().__init__(_MOST_WAITING)
        self._traces = traces
        self._turns = Turns(_AT_ONCE, each=_OF_ONE_USER)

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Handles the update when its user's turn has come."""
        traceparent = self._traces.take(update, "") if isinstance(update, Update) else ""
        async with self._turns.turn(_whose(update)):
            with tracing.span("handle", parent=traceparent):
                await coroutine

    async def initialize(self) -> None:
        """Needs nothing."""

    async def shutdown(self) -> None:
        """Needs nothing."""


def _whose(update: object) -> int:
    """The id of who sent or pressed something; 0 where that is not known."""
    if not isinstance(update, Update):
        return 0
    party = party_of(update)
    return 0 if party is None else party.user_id
