"""The ASGI application: puts the routes together."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot.web import health
from bot.web.health import Check


def create_app(
    live: Sequence[Check],
    ready: Sequence[Check],
    routes: Sequence[BaseRoute] = (),
    note: Check = lambda: None,
) -> Starlette:
    """The application. Live, or ready, is the bot that passes all these checks."""
    return Starlette(routes=[*health.routes(live, ready, note), *routes])
