"""A handler in two steps: what makes or ends work before the update is confirmed, the answer after.

python-telegram-bot's handlers run whenever they get to it. What they were about to do when the
process died would not be done: Telegram has forgotten the update by then.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Update
from telegram.ext import Application, BaseHandler

from bot.clients.errors import DatabaseUnavailable
from bot.context import Context
from bot.handing import Handing
from bot.services import Services


class Recorded(BaseHandler[Update, Context, None]):
    """What it answers has `context.outcome`: what `record` has given.

    An error of `record` is the handler's own, and so is told like any other.
    """

    def __init__(
        self,
        handler: BaseHandler[Update, Context, Any],
        record: Callable[[Update, Services], Awaitable[Any]],
    ) -> None:
        """`handler` says which updates these are and answers them; `record` is safe to repeat."""
        super().__init__(handler.callback)
        self._handler = handler
        self._record = record
        self._outcomes = Handing()

    async def record(self, update: Update, services: Services) -> None:
        """The first step.

        Raises:
            DatabaseUnavailable: nothing is recorded yet; the update has to come again.
        """
        try:
            outcome = await self._record(update, services)
        except DatabaseUnavailable as error:
            if not error.is_full:
                raise
            outcome = error  # to come again would help nobody
        except Exception as error:  # noqa: BLE001, the second step raises it
            outcome = error
        self._outcomes.put(update, outcome)

    def check_update(self, update: object) -> Any:
        """Whether it is for this handler; see `BaseHandler`."""
        return self._handler.check_update(update)

    async def handle_update(
        self,
        update: Update,
        application: "Application[Any, Context, Any, Any, Any, Any]",
        check_result: Any,
        context: Context,
    ) -> None:
        """The second step; see `BaseHandler`."""
        context.outcome = self._outcomes.take(update, None)
        if isinstance(context.outcome, Exception):
            raise context.outcome
        await self._handler.handle_update(update, application, check_result, context)
