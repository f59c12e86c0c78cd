"""All handlers, in the order in which they are asked."""

from typing import Any

from telegram.ext import Application

from bot.context import Context
from bot.handlers import cancel, errors, history, other, photo, start, status


def register(application: "Application[Any, Context, Any, Any, Any, Any]") -> None:
    """Adds every handler. The first that matches an update takes it."""
    for module in (photo, start, status, history, cancel, other):
        application.add_handlers(module.handlers())
    application.add_error_handler(errors.tell)
