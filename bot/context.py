"""What every handler is given besides the update: the services, and its user's texts."""

from dataclasses import dataclass, field
from typing import Any, Final, Self

from telegram import Update
from telegram.ext import Application, CallbackContext, ExtBot

from bot import texts
from bot.notices import Notices
from bot.scheduler import Scheduler
from bot.services import Services
from bot.texts.texts import Texts

_QUESTION_SECONDS: Final = 5.0
_DAY_SECONDS: Final = 86_400.0


@dataclass(frozen=True)
class BotData:
    """What all handlers share.

    Attributes:
        services: dbservice, the generator, Telegram.
        scheduler: starts the next tick.
        notices: what is said once a minute in a chat.
        refused: who may not use the bot is told once a day, or more often where very many come.
        questions: what a photo shows is asked once in some seconds, by its generation.
        under_way: what is being made or sent for somebody who may press the button again.
    """

    services: Services
    scheduler: Scheduler
    notices: Notices = field(default_factory=Notices)
    refused: Notices = field(default_factory=lambda: Notices(seconds=_DAY_SECONDS))
    questions: Notices = field(default_factory=lambda: Notices(seconds=_QUESTION_SECONDS))
    under_way: set[str] = field(default_factory=set)


class Context(CallbackContext[ExtBot[Any], dict[Any, Any], dict[Any, Any], BotData]):
    """The context of an update.

    Attributes:
        texts: what the bot says to the user whose update it is.
        outcome: what was recorded before the update was confirmed; see `bot.handlers.recorded`.
    """

    texts: Texts = texts.of(None)
    outcome: Any = None

    @classmethod
    def from_update(
        cls, update: object, application: "Application[Any, Any, Any, Any, Any, Any]"
    ) -> Self:
        """Looks at whose update it is; errors of its handlers come by here, too."""
        context = super().from_update(update, application)
        user = update.effective_user if isinstance(update, Update) else None
        context.texts = texts.of(user.language_code if user is not None else None)
        return context

    @property
    def services(self) -> Services:
        """dbservice, the generator, Telegram."""
        return self.bot_data.services

    def wake(self) -> None:
        """There is news for the tick."""
        self.bot_data.scheduler.wake()
