"""/settings: what a person chooses for all of their pictures, their language, their time zone.

In a group, what its administrators choose for all that is sent there; it comes first.
"""

import contextlib
from typing import Any

from telegram import CallbackQuery, InlineKeyboardMarkup, Message, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

from bot import keyboards, zones
from bot.callbacks import COUNT as COUNT_CHOICE
from bot.callbacks import DIAL as DIAL_CHOICE
from bot.callbacks import FIRST_STYLE as STYLE_CHOICE
from bot.callbacks import LANGUAGE as LANGUAGE_CHOICE
from bot.callbacks import MENU, NO_NEWS, Menu, answer
from bot.callbacks import NEWS as NEWS_CHOICE
from bot.callbacks import ZONE as ZONE_CHOICE
from bot.context import Context
from bot.handlers.pressed import may_act_for
from bot.messages import data_of, is_private, sender_of
from bot.recipes.children import DIAL, STEPS
from bot.recipes.styles import STYLES
from bot.refusals import CannotDeliver
from bot.texts.catalogues import LANGUAGES
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_CHARACTERS = 100  # of a time zone, to be told that there is no such one


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the command and of its buttons."""
    return [
        CommandHandler("settings", _show),
        CallbackQueryHandler(_choose_dial, pattern=DIAL_CHOICE),
        CallbackQueryHandler(_choose_count, pattern=COUNT_CHOICE),
        CallbackQueryHandler(_choose_language, pattern=LANGUAGE_CHOICE),
        CallbackQueryHandler(_choose_zone, pattern=ZONE_CHOICE),
        CallbackQueryHandler(_choose_news, pattern=NEWS_CHOICE),
        CallbackQueryHandler(_want_no_news, pattern=NO_NEWS),
        CallbackQueryHandler(_choose_style, pattern=STYLE_CHOICE),
        CallbackQueryHandler(_open_menu, pattern=MENU),
    ]


async def _show(update: Update, context: Context) -> None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return
    database, owner_id = context.services.database, sender.id
    if not is_private(message):
        owner_id = message.chat_id
        if not await context.services.group_admins.include(message.chat, sender.id):
            await message.reply_text(context.texts.groups.administrators_only)
            return
    whose: dict[str, Any] = {"bot_id": context.bot.id, "user_id": owner_id}
    written = printable(" ".join(context.args or ()))[:_MOST_CHARACTERS]
    if not written:
        text, buttons = _page(
            await database.get_settings(db.GetSettingsRequest(**whose)), owner_id, context
        )
        await message.reply_text(text, reply_markup=buttons)
        return
    zone, said = zones.find(written), context.texts.settings
    if zone is None:
        await message.reply_text(said.unknown_zone(written))
        return
    chosen = db.UserSettings(time_zone=zone)
    await database.change_settings(db.ChangeSettingsRequest(**whose, settings=chosen))
    await message.reply_text(said.zone_chosen(zone, zones.now(zone)))


async def _choose_dial(update: Update, context: Context) -> None:
    query, match = update.callback_query, context.match
    if query is None or match is None:
        return
    step = STEPS.get(match[1])
    if step is None:
        await answer(query, context.texts.gone)
        return
    if await _change(query, int(match[2]), db.UserSettings(dial=step), context):
        await answer(query, context.texts.pictures.dial(step))


async def _choose_count(update: Update, context: Context) -> None:
    query, match = update.callback_query, context.match
    if query is None or match is None:
        return
    if await _change(query, int(match[2]), db.UserSettings(pictures=int(match[1])), context):
        await answer(query, context.texts.pictures.at_once(int(match[1])))


async def _choose_language(update: Update, context: Context) -> None:
    query, match = update.callback_query, context.match
    if query is None or match is None:
        return
    if match[1] and match[1] not in LANGUAGES:
        await answer(query, context.texts.gone)
        return
    if await _change(query, int(match[2]), db.UserSettings(language=match[1]), context):
        await answer(query, context.texts.settings.language_chosen)


async def _choose_zone(update: Update, context: Context) -> None:
    query, match = update.callback_query, context.match
    if query is None or match is None:
        return
    zone = zones.find(match[1])
    if zone is None:
        await answer(query, context.texts.gone)
        return
    if await _change(query, int(match[2]), db.UserSettings(time_zone=zone), context):
        await answer(query, context.texts.settings.zone_chosen(zone, zones.now(zone)))


async def _choose_news(update: Update, context: Context) -> None:
    query, match, said = update.callback_query, context.match, context.texts.broadcast
    if query is None or match is None:
        return
    wanted = match[1] == "on"
    if await _change(query, int(match[2]), db.UserSettings(news=wanted), context):
        await answer(query, said.news if wanted else said.no_news)


async def _want_no_news(update: Update, context: Context) -> None:
    """The button under a broadcast, which stays as it is."""
    query = update.callback_query
    if query is None:
        return
    await context.services.database.change_settings(
        db.ChangeSettingsRequest(
            bot_id=context.bot.id,
            user_id=query.from_user.id,
            settings=db.UserSettings(news=False),
        )
    )
    await answer(query, context.texts.broadcast.no_news)


async def _choose_style(update: Update, context: Context) -> None:
    query, match = update.callback_query, context.match
    if query is None or match is None:
        return
    style = match[1]
    if style and style not in STYLES:
        await answer(query, context.texts.gone)
        return
    if await _change(query, int(match[2]), db.UserSettings(style=style), context):
        await answer(query, context.texts.settings.style_chosen(style))


async def _open_menu(update: Update, context: Context) -> None:
    query, match = update.callback_query, context.match
    if query is None or match is None:
        return
    owner_id = int(match[2])
    if not await _may_change(query, owner_id, context):
        return
    if match[1] == Menu.RESET:
        if await _change(query, owner_id, db.UserSettings(), context, reset=True):
            await answer(query, context.texts.groups.was_reset)
        return
    request = db.GetSettingsRequest(bot_id=context.bot.id, user_id=owner_id)
    chosen = await context.services.database.get_settings(request)
    await answer(query)
    texts = context.texts
    match match[1]:
        case Menu.LANGUAGES:
            buttons = keyboards.languages(chosen, owner_id, texts)
            await _put(query, texts.settings.choose_language, buttons, context)
        case Menu.ZONES:
            buttons = keyboards.zones(chosen, owner_id, texts)
            await _put(query, texts.settings.choose_zone, buttons, context)
        case Menu.STYLES:
            buttons = keyboards.first_styles(chosen, owner_id, texts)
            await _put(query, texts.settings.choose_style, buttons, context)
        case Menu.MAIN:
            await _put(query, *_page(chosen, owner_id, context), context)


async def _change(
    query: CallbackQuery,
    owner_id: int,
    settings: db.UserSettings,
    context: Context,
    *,
    reset: bool = False,
) -> bool:
    """Changes what an owner has chosen, and shows it. False: it is not one's own, which is said."""
    if not await _may_change(query, owner_id, context):
        return False
    request = db.ChangeSettingsRequest(
        bot_id=context.bot.id,
        user_id=owner_id,
        settings=settings,
        language_code=query.from_user.language_code or "",
        reset=reset,
    )
    chosen = await context.services.database.change_settings(request)
    await context.refresh_data()
    await _put(query, *_page(chosen, owner_id, context), context)
    return True


async def _may_change(query: CallbackQuery, owner_id: int, context: Context) -> bool:
    if query.message is not None and await may_act_for(owner_id, query, context):
        return True
    is_groups = query.message is not None and query.message.chat.id == owner_id
    refusal = context.texts.groups.administrators_only if is_groups else context.texts.not_yours
    await answer(query, refusal)
    return False


async def _put(
    query: CallbackQuery, text: str, buttons: InlineKeyboardMarkup, context: Context
) -> None:
    """Has the pressed message say something else; one that is gone, or too old, stays as it is.

    Somebody who plays can press a button that is not there, on any message of ours.
    """
    message = query.message
    if isinstance(message, Message) and query.data in data_of(message):
        with contextlib.suppress(CannotDeliver):
            await context.services.messenger.rewrite(
                message.chat_id, message.message_id, text, buttons
            )


def _page(
    chosen: db.UserSettings, owner_id: int, context: Context
) -> tuple[str, InlineKeyboardMarkup]:
    """What /settings answers. A group that has chosen nothing leaves it to everybody."""
    said = context.texts.pictures
    steps = map(said.dial_line, reversed(DIAL))
    shown = db.UserSettings()
    shown.CopyFrom(chosen)
    lines = [said.settings, "", *steps, "", said.how_many]
    if owner_id < 0:
        lines = [context.texts.groups.settings, "", *lines]
    else:
        shown.dial = chosen.dial or context.services.dial
        shown.pictures = chosen.pictures or 1
    text = "\n".join(lines)
    return text, keyboards.settings(shown, owner_id, context.texts)
