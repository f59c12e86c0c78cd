"""What the bot does beside the tick: it forgets, exports, broadcasts, and looks for albums."""

import asyncio
from functools import partial
from typing import Any, Final

from telegram.ext import ExtBot

from bot import profile
from bot.beside import Beside
from bot.broadcasting import Broadcasting
from bot.exports.exporting import Exporting
from bot.forgetting import Forgetting
from bot.handlers.photo import look_again
from bot.services import Services
from bot.settings import BotSettings
from bot.transports.kept import KeptUpdates
from bot.trouble import Troubles
from bot.work.incarnation import Incarnation
from bot.work.leasing import Leasing

_BROADCAST_SECONDS = 5.0
"""How long what is being sent to somebody may take to be recorded."""


class Chores:
    """All of them."""

    def __init__(
        self,
        services: Services,
        leasing: Leasing,
        incarnation: Incarnation,
        kept: KeptUpdates,
        bot: ExtBot[Any],
        settings: BotSettings,
    ) -> None:
        """None is begun.

        Args:
            services: dbservice, Telegram, and the rest.
            leasing: says what is called for.
            incarnation: says whether other bots have photos that this one has to look for.
            kept: updates that could not be decoded.
            bot: sets menus.
            settings: what the bot is told.
        """
        bot_id, folder = settings.bot_id, settings.folder("bot")
        self._broadcasting: Final = Broadcasting(services, bot_id)
        self._sending_to_all: Final = Beside(
            self._broadcasting.run, lambda: leasing.told.has_broadcast
        )
        set_menu = partial(profile.set_menu_of_admin, bot)
        troubles = Troubles(services, leasing.health, bot_id, set_menu)

        async def look_for_albums() -> None:
            if incarnation.bots > 1:
                await look_again(services)

        self._others: Final = (
            Beside(Forgetting(services, kept, bot_id).run, lambda: leasing.told.has_forgettings),
            Exporting(services, folder / "exports", bot_id, lambda: leasing.told.has_exports),
            Beside(troubles.run),
            Beside(look_for_albums),
        )

    def begin(self) -> None:
        """Goes on with what is called for."""
        self._sending_to_all.begin()
        for each in self._others:
            each.begin()

    async def stop(self) -> None:
        """Leaves all of it to the next start, but for what is being sent to somebody just now."""
        self._broadcasting.stop()
        await asyncio.gather(
            self._sending_to_all.stop(_BROADCAST_SECONDS), *(each.stop() for each in self._others)
        )
