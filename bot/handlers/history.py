"""/history: one's own pictures in this chat, newest first, on a card that is turned."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from telegram import Message, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

from bot.answering import answered_by, topic_of
from bot.callbacks import CARD, HISTORY, CardAction, answer, generation_id
from bot.clients.errors import Conflict, NotFound
from bot.context import Context
from bot.handlers import card, show
from bot.handlers.card import CardPress
from bot.handlers.pressed import may_act_for, once
from bot.messages import sender_of, thread_of
from protos.lookalike.db.v1 import db_pb2 as db


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the command and of the buttons under the card."""
    return [
        CommandHandler("history", _open),
        _button(HISTORY, _turn),
        _button(CARD, _act),
    ]


def _button(
    pattern: re.Pattern[str], act: Callable[[CardPress, Context], Awaitable[None]]
) -> BaseHandler[Update, Context, Any]:
    """A button of the card, for its owner or whoever administers the group that is its owner."""

    async def press(update: Update, context: Context) -> None:
        query, match = update.callback_query, context.match
        if query is None or match is None:
            return
        if query.message is None:
            await answer(query, context.texts.gone)
            return
        given = match.groupdict()
        owner_id = int(given["owner"])
        if not await may_act_for(owner_id, query, context):
            await answer(query, context.texts.not_yours)
            return
        key = generation_id(given["id"]) if "id" in given else ""
        name = given.get("action", given.get("cursor", ""))
        which = query.message.chat.id, query.message.message_id
        async with context.bot_data.cards.setdefault(which, asyncio.Lock()):
            await act(CardPress(query, query.message, owner_id, name, key), context)

    return CallbackQueryHandler(press, pattern=pattern)


async def _open(update: Update, context: Context) -> None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return
    page = await card.look(context, message.chat_id, sender.id)
    if page.items:
        await card.send(context, message, sender.id, page)
    else:
        await message.reply_text(context.texts.no_history)


async def _turn(press: CardPress, context: Context) -> None:
    page = await card.look(context, press.card.chat.id, press.owner_id, cursor=press.name)
    await answer(press.query, None if page.items else context.texts.no_history)
    await card.turn(press, context, page)


async def _act(press: CardPress, context: Context) -> None:
    """Acts on the picture; where it is gone meanwhile, the card shows its neighbour."""
    act = _ACTS.get(press.name)
    if act is None:
        await answer(press.query, context.texts.gone)
        return
    try:
        has_changed = await act(press, context)
    except NotFound:
        await answer(press.query, context.texts.gone)
        has_changed = True
    if has_changed:
        page = await card.look(
            context, press.card.chat.id, press.owner_id, generation_id=press.generation_id
        )
        await card.turn(press, context, page)


async def _star(press: CardPress, context: Context) -> bool:
    starred = press.name == CardAction.STAR
    request = db.StarGenerationRequest(**_which(press, context), starred=starred)
    await context.services.database.star_generation(request)
    said = context.texts.pictures
    await answer(press.query, said.starred if starred else said.unstarred)
    return True


async def _show(press: CardPress, context: Context) -> bool:
    """Sends the picture with all of its buttons; once, however often it is asked."""
    item = await _find(press, context)
    async with once(press.query, context) as is_first:
        if not is_first:
            return False
        await answer(press.query, context.texts.pictures.sending)
        thread_id = topic_of(item.photo)
        if thread_id is None and isinstance(press.card, Message):
            thread_id = thread_of(press.card)
        await show.send(context, item, press.card.chat.id, answered_by(item), thread_id)
    return False


async def _ask(press: CardPress, context: Context) -> bool:
    item = await _find(press, context)
    await answer(press.query)
    await card.ask(press, context, item)
    return False


async def _keep(press: CardPress, _context: Context) -> bool:
    await answer(press.query)
    return True


async def _delete(press: CardPress, context: Context) -> bool:
    request = db.DeleteGenerationRequest(**_which(press, context))
    said = context.texts.pictures
    try:
        left = await context.services.database.delete_generation(request)
    except Conflict:
        await answer(press.query, said.unfinished)
        return True
    await answer(press.query, said.deleted)
    for message_id in left.message_ids:
        await context.services.messenger.delete(press.card.chat.id, message_id, said.deleted)
    return True


_ACTS: Final[Mapping[str, Callable[[CardPress, Context], Awaitable[bool]]]] = {
    CardAction.STAR: _star,
    CardAction.UNSTAR: _star,
    CardAction.SHOW: _show,
    CardAction.ASK: _ask,
    CardAction.DELETE: _delete,
    CardAction.KEEP: _keep,
}
"""What each button does, and whether the card is another one then."""


def _which(press: CardPress, context: Context) -> dict[str, Any]:
    return {
        "bot_id": context.bot.id,
        "chat_id": press.card.chat.id,
        "user_id": press.owner_id,
        "generation_id": press.generation_id,
    }


async def _find(press: CardPress, context: Context) -> db.Item:
    """The picture. Raises NotFound: there is none any more."""
    request = db.GetGenerationRequest(**_which(press, context))
    item = (await context.services.database.get_generation(request)).item
    if not item.generation.HasField("picture"):
        raise NotFound("the picture was deleted")
    return item
