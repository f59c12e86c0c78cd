"""Whoever may not use the bot comes as far as this, and hears one sentence a day."""

from typing import Any, Final

from telegram import Update
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import Application, ApplicationHandlerStop, BaseHandler

from bot.access import Standing, link_in, party_of
from bot.callbacks import answer
from bot.clients.errors import DatabaseUnavailable
from bot.context import Context
from bot.handing import Handing
from bot.handlers import errors, inline
from bot.messages import is_for_the_bot, may_be_for_the_bot
from bot.services import Services

FIRST: Final = -1
"""The group of handlers that python-telegram-bot asks before all others."""


class Gate(BaseHandler[Update, Context, None]):
    """Decides at the door; what was not let in there is for this handler and for no other."""

    def __init__(self) -> None:
        super().__init__(_end)
        self._decided = Handing()

    async def admit(self, update: Update, services: Services) -> bool:
        """Whether anything of an update may be recorded, and handled later.

        Raises:
            DatabaseUnavailable: nobody knows; the update has to come again.
        """
        decision = await _refusal(update, services)
        self._decided.put(update, decision)
        return decision is None

    def check_update(self, update: object) -> Standing | Exception | None:
        """Why an update is for no other handler; see `BaseHandler`."""
        if not isinstance(update, Update):
            return None
        refusal: Standing | Exception | None = self._decided.take(update, Standing.STRANGER)
        return refusal

    def collect_additional_context(
        self,
        context: Context,
        update: Update,
        application: "Application[Any, Context, Any, Any, Any, Any]",
        check_result: Any,
    ) -> None:
        """Hands that over; see `BaseHandler`."""
        del update, application
        context.outcome = check_result


async def _refusal(update: Update, services: Services) -> Standing | Exception | None:
    """Why somebody is not let in; None: they are, if only as far as `bot.handlers.link`."""
    if update.message is not None and update.message.migrate_to_chat_id is not None:
        return None  # Telegram says so, whoever has caused it
    party = party_of(update)
    if party is None or not _is_heard(update, services):
        return Standing.STRANGER  # to whom nothing is said unless they speak to the bot
    try:
        bot_id = update.get_bot().id
        standing = await services.access.standing(services.database, bot_id, party)
    except DatabaseUnavailable:
        raise
    except Exception as error:  # noqa: BLE001, told where the update ends
        return error
    if standing is Standing.STRANGER and link_in(update.message):
        return None
    return None if standing.may_use else standing


async def _end(update: Update, context: Context) -> None:
    """Ends an update.

    Raises:
        ApplicationHandlerStop: always; any other error would leave it to the other handlers.
    """
    if isinstance(context.outcome, Standing):
        await refuse(update, context, context.outcome)
    elif _can_be_told(update):
        context.error = context.outcome
        await errors.tell(update, context)
    raise ApplicationHandlerStop


async def refuse(update: Update, context: Context, standing: Standing) -> None:
    """Says once a day that somebody may not use the bot; in a group, once to all of them.

    Where nothing can be said there is silence: in channels, and to a reaction.
    """
    party, query = party_of(update), update.callback_query
    if party is None:
        return
    if update.inline_query is not None:
        await inline.answer_nothing(update.inline_query, context, standing)
        return
    may_say = context.bot_data.refused.may_give
    text = context.texts.access.refusal(standing)
    if query is not None:  # it is answered in any case, or the button would look busy
        await answer(query, text if may_say(party.user_id) else None)
    elif update.message is not None and is_for_the_bot(update.message) and may_say(party.chat_id):
        try:
            await update.message.reply_text(text)
        except TelegramError as error:
            errors.log(error)


def _is_heard(update: Update, services: Services) -> bool:
    """Whether it may concern the bot; in groups, what people say to one another does not."""
    return update.message is None or services.hears_all or may_be_for_the_bot(update.message)


def _can_be_told(update: Update) -> bool:
    chat = update.effective_chat
    return update.callback_query is not None or (chat is not None and chat.type == ChatType.PRIVATE)
