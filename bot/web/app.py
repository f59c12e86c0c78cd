"""The ASGI application: puts the routes together."""

from collections.abc import Sequence

from starlette.applications import Starlette

from bot.web import health
from bot.web.health import Check


def create_app(checks: Sequence[Check]) -> Starlette:
    """The application. Ready is the bot that passes all `checks`."""
    return Starlette(routes=health.routes(checks))
