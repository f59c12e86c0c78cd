"""Inline mode: one's own pictures in any chat, found by what is written after the bot's name.

Who looks for a picture is all that counts, so nobody finds another's.
"""

from collections.abc import Iterable
from typing import Any, Final

from telegram import (
    InlineQuery,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
    Update,
)
from telegram.error import TelegramError
from telegram.ext import BaseHandler, InlineQueryHandler, MessageHandler, filters

from bot.access import Standing
from bot.callbacks import SHARED, generation_id
from bot.clients.errors import InvalidRequest
from bot.context import Context
from bot.handlers import errors
from bot.messages import is_via
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_PAGE: Final = 50
"""As many as an answer takes."""

_MOST_CHARACTERS: Final = 256
"""Of a query, as Telegram takes it and dbservice."""

_CACHE_SECONDS: Final = 5
"""A picture that is deleted, or new, is so in the next query."""

_START: Final = "inline"
"""What the button that opens the private chat has its user send with /start."""


class _ChosenAnswer(filters.UpdateFilter):
    """Pictures of ours that somebody has sent in inline mode: no photos to paint."""

    def filter(self, update: Update) -> bool:
        return update.message is not None and is_via(update.message)


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of queries, and of what was chosen."""
    return [InlineQueryHandler(_find), MessageHandler(_ChosenAnswer(), _leave)]


async def answer_nothing(query: InlineQuery, context: Context, standing: Standing) -> None:
    """To somebody who may not use the bot; whoever is a stranger is told so in our chat."""
    said = context.texts.inline
    is_stranger = standing is Standing.STRANGER
    try:
        await _answer(query, button=said.open_chat_button if is_stranger else None)
    except TelegramError as error:
        errors.log(error)


async def _find(update: Update, context: Context) -> None:
    query = update.inline_query
    if query is None:
        return
    written = query.query.strip()
    request = db.FindPicturesRequest(
        bot_id=context.bot.id, user_id=query.from_user.id, page_size=_PAGE
    )
    if shared := SHARED.match(written):
        request.generation_id = generation_id(shared[1])
    else:
        request.words = printable(written)[:_MOST_CHARACTERS]
        request.cursor = query.offset
    try:
        found = await context.services.database.find_pictures(request)
    except InvalidRequest:  # an offset that is none of ours
        found = db.FindPicturesResponse()
    is_empty = not (found.items or found.cursor or query.offset)
    await _answer(
        query,
        (_result(item, context) for item in found.items),
        next_offset=found.cursor,
        button=context.texts.inline.nothing_found_button if is_empty else None,
    )


def _result(item: db.Item, context: Context) -> InlineQueryResultCachedPhoto:
    generation, text = item.generation, context.texts.pictures.picture(item)
    return InlineQueryResultCachedPhoto(generation.id, generation.picture.file_id, caption=text)


async def _answer(
    query: InlineQuery,
    results: Iterable[InlineQueryResultCachedPhoto] = (),
    *,
    next_offset: str = "",
    button: str | None = None,
) -> None:
    await query.answer(
        [*results],
        cache_time=_CACHE_SECONDS,
        is_personal=True,
        next_offset=next_offset or None,  # the library would make [] of an empty one
        button=None if button is None else InlineQueryResultsButton(button, start_parameter=_START),
    )


async def _leave(_update: Update, _context: Context) -> None:
    return
