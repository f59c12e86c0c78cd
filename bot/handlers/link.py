"""A link that lets somebody in: the bot's owner, once, or whom an admin has invited."""

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, MessageHandler, filters

from bot.access import Opened, link_in, party_of
from bot.context import Context
from bot.handlers import gate, start
from bot.handlers.recorded import Recorded
from bot.services import Services


class _WithLink(filters.UpdateFilter):
    def filter(self, update: Update) -> bool:
        return bool(link_in(update.message))


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handler of the message that opening a link sends."""
    return [Recorded(MessageHandler(_WithLink(), _tell), _open)]


async def _open(update: Update, services: Services) -> Opened:
    party = party_of(update)
    if party is None:
        return Opened.NOTHING
    parameter = link_in(update.message)
    return await services.access.open(services.database, update.get_bot().id, party, parameter)


async def _tell(update: Update, context: Context) -> None:
    party, message = party_of(update), update.message
    if party is None or message is None:
        return
    services, said = context.services, context.texts.access
    if context.outcome is Opened.OWNER:
        language = context.sender.language_code if context.sender is not None else None
        services.admins.add(party.user_id, language or "")
        context.wake()
    if text := said.opened(context.outcome):
        await message.reply_text(text)
    standing = await services.access.standing(services.database, context.bot.id, party)
    if standing.may_use:
        await start.say_hello(update, context)
    elif not text:
        await gate.refuse(update, context, standing)
