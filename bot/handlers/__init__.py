"""What a person can do, a file for each; `register` adds them all to the application."""

from typing import Any

from telegram.ext import Application

from bot.handlers import cancel, errors, history, other, photo, start, status
from bot.services import Services


def register(application: "Application[Any, Any, Any, Any, Any, Any]", services: Services) -> None:
    """Adds every handler. The first that matches an update takes it."""
    for module in (photo, start, status, history, cancel, other):
        application.add_handlers(module.handlers(services))
    application.add_error_handler(errors.tell)
