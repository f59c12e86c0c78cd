"""What every handler is given besides the update: the services, and its user's texts."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any, Final, Self
from weakref import WeakValueDictionary

from telegram import Update
from telegram.ext import Application, CallbackContext, ExtBot

from bot import texts
from bot.clients.errors import DatabaseError
from bot.messages import Sender, sender_of
from bot.notices import Notices
from bot.scheduler import Scheduler
from bot.services import Services
from bot.texts.texts import Texts
from protos.lookalike.db.v1 import db_pb2 as db

QUESTION_SECONDS: Final = 5.0
"""So long a photo is not asked about again."""

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
        cards: held while a press on a card is served, by chat and message: the next one waits, so
            that the card shows what the last one asked for.
    """

    services: Services
    scheduler: Scheduler
    notices: Notices = field(default_factory=Notices)
    refused: Notices = field(default_factory=lambda: Notices(seconds=_DAY_SECONDS))
    questions: Notices = field(default_factory=lambda: Notices(seconds=QUESTION_SECONDS))
    under_way: set[str] = field(default_factory=set)
    cards: WeakValueDictionary[tuple[int, int], asyncio.Lock] = field(
        default_factory=WeakValueDictionary
    )


class Context(CallbackContext[ExtBot[Any], dict[Any, Any], dict[Any, Any], BotData]):
    """The context of an update.

    Attributes:
        texts: what the bot says to the user whose update it is.
        zone: the time zone that they have chosen; "": none.
        sender: whose settings these are, if it is anybody's.
        chat_id: where, if it is anywhere; 0: nowhere.
        outcome: what was recorded before the update was confirmed; see `bot.handlers.recorded`.
    """

    texts: Texts = texts.of(None)
    zone: str = ""
    sender: Sender | None = None
    chat_id: int = 0
    outcome: Any = None

    @classmethod
    def from_update(
        cls, update: object, application: "Application[Any, Any, Any, Any, Any, Any]"
    ) -> Self:
        """Looks at whose update it is; errors of its handlers come by here, too."""
        context = super().from_update(update, application)
        if isinstance(update, Update):
            context.sender = _sender(update)
            context.chat_id = update.effective_chat.id if update.effective_chat else 0
            context.follow(db.UserSettings())
        return context

    async def refresh_data(self) -> None:
        """Asks what the user has chosen; python-telegram-bot does this before the handlers.

        In a group, what that has chosen comes first. While dbservice is unavailable nobody knows,
        and it is as Telegram says.
        """
        if self.sender is not None:
            request = db.GetSettingsRequest(
                bot_id=self.bot.id, user_id=self.sender.id, chat_id=self.chat_id
            )
            with contextlib.suppress(DatabaseError):
                chosen = await self.services.database.get_settings(request)
                self.follow(chosen)
                if self.chat_id == self.sender.id:  # a group's language is not theirs
                    language = chosen.language or self.sender.language_code or ""
                    self.services.admins.see(self.sender.id, language)

    def follow(self, chosen: db.UserSettings) -> None:
        """From here on the user is spoken to as they have chosen."""
        telegrams = self.sender.language_code if self.sender is not None else None
        self.texts = texts.of(chosen.language or telegrams)
        self.zone = chosen.time_zone

    @property
    def services(self) -> Services:
        """dbservice, the generator, Telegram."""
        return self.bot_data.services

    @property
    def can_share(self) -> bool:
        """Whether pictures have a Share button."""
        return self.services.messenger.has_inline_mode

    @property
    def gallery_url(self) -> str | None:
        """Where the user opens the gallery from this chat; None: nowhere, as from all groups."""
        is_private = self.sender is not None and self.sender.id == self.chat_id
        return self.services.gallery_url if is_private else None

    def wake(self) -> None:
        """There is news for the tick."""
        self.bot_data.scheduler.wake()


def _sender(update: Update) -> Sender | None:
    """Whose settings count, and the language of whoever reads the answer."""
    user = update.effective_user
    said_in = user.language_code if user is not None else None
    message = update.message
    sender = sender_of(message) if message is not None else None
    if sender is not None:
        return Sender(sender.id, said_in)
    return Sender(user.id, said_in) if user is not None else None
