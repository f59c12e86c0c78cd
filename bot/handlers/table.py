"""All handlers, in the order in which they are asked: the first that matches an update takes it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from telegram import Update
from telegram.ext import Application, BaseHandler

from bot.context import Context
from bot.handlers import (
    administration,
    again,
    asking,
    broadcast,
    cancel,
    caption,
    delete,
    errors,
    export,
    forget,
    from_file,
    full_size,
    gate,
    history,
    inline,
    link,
    moved,
    other,
    photo,
    privacy,
    reaction,
    settings,
    show,
    start,
    status,
    words,
)
from bot.handlers.recorded import Recorded
from bot.messages import picture_of
from bot.services import Services

_MODULES: Final = (
    inline,
    reaction,
    moved,
    from_file,
    photo,
    asking,
    link,
    start,
    status,
    history,
    cancel,
    settings,
    export,
    forget,
    privacy,
    again,
    full_size,
    show,
    delete,
    caption,
    administration,
    broadcast,
    words,
    other,
)


_CLAIM_SECONDS: Final = 3600
"""Longer than an update comes again of which Telegram has not heard that it was taken."""


def register(
    application: "Application[Any, Context, Any, Any, Any, Any]", services: Services
) -> Callable[[Update], Awaitable[bool]]:
    """Adds every handler.

    Returns:
        What records an update of somebody who may use the bot, if that is for a handler which has
        something to record; and says whether it is to be answered here.
    """
    handlers: list[BaseHandler[Update, Context, Any]] = []
    for module in _MODULES:
        handlers += module.handlers()
    door = gate.Gate()
    application.add_handler(door, gate.FIRST)
    application.add_handlers(handlers)
    application.add_error_handler(errors.tell)

    async def record(update: Update) -> bool:
        if update.message is not None:
            services.memories.ids.see(update.message.chat_id, update.message.message_id)
        if not await door.admit(update, services):
            return True
        for handler in handlers:
            check = handler.check_update(update)
            if check is not None and check is not False:
                if isinstance(handler, Recorded):
                    await handler.record(update, services)
                # Only now: who claims it first, and cannot record it, keeps it from the others.
                return not _shows(update) or await services.claim(
                    f"update:{update.update_id}", _CLAIM_SECONDS
                )
        return True

    return record


def _shows(update: Update) -> bool:
    """Whether it would be seen if two processes answered; of a photo nothing but a reaction is."""
    message = update.message
    return update.callback_query is not None or (
        message is not None and picture_of(message) is None
    )
