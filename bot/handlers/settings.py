"""/settings: what a person chooses for all of their pictures, their language, their time zone."""

import contextlib
from typing import Any

from telegram import CallbackQuery, InlineKeyboardMarkup, Message, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

from bot import keyboards, zones
from bot.callbacks import COUNT as COUNT_CHOICE
from bot.callbacks import DIAL as DIAL_CHOICE
from bot.callbacks import LANGUAGE as LANGUAGE_CHOICE
from bot.callbacks import MENU, NO_NEWS, Menu, answer
from bot.callbacks import NEWS as NEWS_CHOICE
from bot.callbacks import ZONE as ZONE_CHOICE
from bot.context import Context
from bot.handlers.pressed import may_act_for
from bot.messages import data_of, sender_of
from bot.recipes.children import DIAL, STEPS
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
        CallbackQueryHandler(_open_menu, pattern=MENU),
    ]


async def _show(update: Update, context: Context) -> None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return
    database = context.services.database
    whose: dict[str, Any] = {"bot_id": context.bot.id, "user_id": sender.id}
    written = printable(" ".join(context.args or ()))[:_MOST_CHARACTERS]
    if not written:
        text, buttons = _page(
            await database.get_settings(db.GetSettingsRequest(**whose)), sender.id, context
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


async def _open_menu(update: Update, context: Context) -> None:
    query, match = update.callback_query, context.match
    if query is None or match is None:
        return
    owner_id = int(match[2])
    if not await _may_change(query, owner_id, context):
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
        case Menu.MAIN:
            await _put(query, *_page(chosen, owner_id, context), context)


async def _change(
    query: CallbackQuery, owner_id: int, settings: db.UserSettings, context: Context
) -> bool:
    """Changes what an owner has chosen, and shows it. False: it is not one's own, which is said."""
    if not await _may_change(query, owner_id, context):
        return False
    request = db.ChangeSettingsRequest(
        bot_id=context.bot.id,
        user_id=owner_id,
        settings=settings,
        language_code=query.from_user.language_code or "",
    )
    chosen = await context.services.database.change_settings(request)
    if owner_id == query.from_user.id:  # else it is a group's, by one who speaks for it
        context.follow(chosen)
    await _put(query, *_page(chosen, owner_id, context), context)
    return True


async def _may_change(query: CallbackQuery, owner_id: int, context: Context) -> bool:
    if query.message is not None and await may_act_for(owner_id, query, context):
        return True
    await answer(query, context.texts.not_yours)
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
    """What /settings answers."""
    said = context.texts.pictures
    steps = map(said.dial_line, reversed(DIAL))
    shown = db.UserSettings()
    shown.CopyFrom(chosen)
    shown.dial = chosen.dial or context.services.dial
    shown.pictures = chosen.pictures or 1
    text = "\n".join([said.settings, "", *steps, "", said.how_many])
    return text, keyboards.settings(shown, owner_id, context.texts)
