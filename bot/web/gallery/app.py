"""The gallery's ASGI application: puts its routes together."""

from collections.abc import Callable
from typing import Final

from starlette.applications import Starlette
from telegram import Bot

from bot.clients.errors import DatabaseUnavailable, InvalidRequest, NotFound, NotOwner
from bot.services import Services
from bot.web.gallery import page, problems
from bot.web.gallery.api import Api
from bot.web.gallery.images import Images
from bot.web.gallery.links import Links
from bot.web.gallery.visitors import Visitors

PATH: Final = "/app"
"""Where it is mounted."""

_TOLD: Final = (problems.Problem, NotFound, NotOwner, InvalidRequest, DatabaseUnavailable)


def create_gallery(
    services: Services,
    bot: Bot,
    wake: Callable[[], None],
    *,
    token: str,
    bot_id: int,
    key: str,
    frame_ancestors: str,
) -> Starlette:
    """The application.

    Args:
        services: what it is made of.
        bot: has Telegram keep what is to be shared.
        wake: has the tick look for work.
        token: the bot's, with which Telegram signs who asks.
        bot_id: the bot's user id.
        key: signs the addresses of images.
        frame_ancestors: who may show the page in a frame.
    """
    visitors, links = Visitors(services, token, bot_id), Links(key)
    images = Images(services.database, visitors, links)
    api = Api(services, bot, visitors, links, bot_id, wake)
    return Starlette(
        routes=[*page.routes(frame_ancestors), images.route, *api.routes],
        exception_handlers=dict.fromkeys(_TOLD, problems.tell),
    )
