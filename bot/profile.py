"""What Telegram shows of the bot itself: what it does, and its menus of commands by language."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    MenuButton,
    MenuButtonDefault,
    MenuButtonWebApp,
    WebAppInfo,
)
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import ExtBot

from bot import texts
from bot.texts.catalogues import LANGUAGES, SOURCE
from bot.texts.texts import Texts

_log = logging.getLogger(__name__)

_PRIVATE_ALONE: Final = frozenset({"start", "export"})
"""Commands that are of no use in a group."""


async def set_up(bot: ExtBot[Any], gallery_url: str | None = None) -> None:
    """Sets what differs, in all languages at a time; a failure is no reason not to start.

    Args:
        bot: speaks to Telegram.
        gallery_url: what the button beside the field opens; None: nothing of ours.
    """
    setting = (
        # What is set for no language is for everybody who has none of the others.
        _set_up(bot, texts, None if language == SOURCE else language)
        for language, texts in LANGUAGES.items()
    )
    failures = await asyncio.gather(*setting, _set_button(bot, gallery_url), return_exceptions=True)
    error = next(filter(None, failures), None)
    if isinstance(error, TelegramError):
        _log.warning("The bot's profile is not set yet, the next start tries: %s.", error.message)
    elif error is not None:
        raise error


async def set_menu_of_admin(bot: Bot, user_id: int, texts: Texts) -> bool:
    """Shows somebody who runs the bot their commands as well, in their private chat.

    Returns:
        False: they have not opened it yet, or Telegram does not answer.
    """
    menu = [BotCommand(name, text) for name, text in (*texts.commands, *texts.access.commands)]
    try:
        await _set_menu(bot, menu, BotCommandScopeChat(user_id), None)
    except (BadRequest, Forbidden):
        return False
    except TelegramError as error:
        _log.info("The menu of %d is not set yet: %s.", user_id, error.message)
        return False
    return True


async def _set_up(bot: ExtBot[Any], texts: Texts, language: str | None) -> None:
    shown = await bot.get_my_description(language)
    if shown.description != texts.description:
        await bot.set_my_description(texts.description, language)
    about = await bot.get_my_short_description(language)
    if about.short_description != texts.short_description:
        await bot.set_my_short_description(texts.short_description, language)
    everything = [BotCommand(name, text) for name, text in texts.commands]
    in_groups = [each for each in everything if each.command not in _PRIVATE_ALONE]
    await _set_menu(bot, everything, BotCommandScopeAllPrivateChats(), language)
    await _set_menu(bot, in_groups, BotCommandScopeAllGroupChats(), language)


async def _set_button(bot: ExtBot[Any], gallery_url: str | None) -> None:
    """For all private chats, in English: of a chat's own nobody could take care for ever."""
    text = texts.of(None).gallery.menu_button
    shown: MenuButton = MenuButtonDefault()
    if gallery_url is not None:
        shown = MenuButtonWebApp(text, WebAppInfo(gallery_url))
    before = await bot.get_chat_menu_button()
    is_ours = isinstance(before, MenuButtonWebApp) and before.text == text
    if before != shown and (gallery_url is not None or is_ours):
        await bot.set_chat_menu_button(menu_button=shown)


async def _set_menu(
    bot: Bot, menu: Sequence[BotCommand], scope: BotCommandScope, language: str | None
) -> None:
    if list(await bot.get_my_commands(scope, language)) != list(menu):
        await bot.set_my_commands(menu, scope, language)
