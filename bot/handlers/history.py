"""/history: one's own generations in this chat, newest first, by pages; each opens its picture."""

from typing import Any

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MaybeInaccessibleMessage,
    Message,
    Update,
)
from telegram.error import BadRequest
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

from bot import keyboards
from bot.callbacks import HISTORY, OPEN, answer, generation_id, history_data, open_data
from bot.context import Context
from bot.handlers.pressed import may_act_for
from bot.messages import sender_of, thread_of
from bot.messenger import WrongFile
from protos.lookalike.db.v1 import db_pb2 as db

_PAGE = 5


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the command and of the buttons under its answer."""
    return [
        CommandHandler("history", _first_page),
        CallbackQueryHandler(_turn, pattern=HISTORY),
        CallbackQueryHandler(_open_picture, pattern=OPEN),
    ]


async def _first_page(update: Update, context: Context) -> None:
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or sender is None:
        return
    text, buttons = await _page(context, message.chat_id, sender.id, "")
    await message.reply_text(text, reply_markup=buttons)


async def _turn(update: Update, context: Context) -> None:
    query = update.callback_query
    if query is None or context.match is None:
        return
    if query.message is None or not query.message.is_accessible:  # too old to be edited
        await answer(query, context.texts.gone)
        return
    owner_id, cursor = int(context.match.group(1)), context.match.group(2)
    if not await may_act_for(owner_id, query, context):
        await answer(query, context.texts.not_yours)
        return
    text, buttons = await _page(context, query.message.chat.id, owner_id, cursor)
    await answer(query)
    try:
        await query.edit_message_text(text, reply_markup=buttons)
    except BadRequest as error:
        if "not modified" not in error.message:  # else it was pressed twice
            raise


async def _open_picture(update: Update, context: Context) -> None:
    query = update.callback_query
    if query is None or context.match is None:
        return
    if query.message is None:
        await answer(query, context.texts.gone)
        return
    owner_id = int(context.match.group(1))
    if not await may_act_for(owner_id, query, context):
        await answer(query, context.texts.not_yours)
        return
    chat_id = query.message.chat.id
    request = db.GetGenerationRequest(
        bot_id=context.bot.id,
        chat_id=chat_id,
        user_id=owner_id,
        generation_id=generation_id(context.match.group(2)),
    )
    item = (await context.services.database.get_generation(request)).item
    await answer(query)
    await _send_again(context, query.message, item)


async def _page(
    context: Context, chat_id: int, user_id: int, cursor: str
) -> tuple[str, InlineKeyboardMarkup | None]:
    texts = context.texts
    page = await context.services.database.list_history(
        db.ListHistoryRequest(
            bot_id=context.bot.id,
            chat_id=chat_id,
            user_id=user_id,
            page_size=_PAGE,
            cursor=cursor,
        )
    )
    if not page.items:
        return texts.no_history, None
    lines = [texts.history_line(number, item) for number, item in enumerate(page.items, start=1)]
    opening = [
        InlineKeyboardButton(str(number), callback_data=open_data(user_id, item.generation.id))
        for number, item in enumerate(page.items, start=1)
    ]
    turning = [
        InlineKeyboardButton(text, callback_data=history_data(user_id, there))
        for text, there in (
            (texts.newer_button, page.newer_cursor),
            (texts.older_button, page.older_cursor),
        )
        if there
    ]
    return "\n".join(lines), InlineKeyboardMarkup([opening, turning] if turning else [opening])


async def _send_again(context: Context, pressed: MaybeInaccessibleMessage, item: db.Item) -> None:
    """Sends a picture as an answer to its photo, or to nothing where that has gone."""
    services, texts = context.services, context.texts
    generation, photo = item.generation, item.photo
    chat_id = pressed.chat.id
    thread_id = photo.message_thread_id if photo.HasField("message_thread_id") else None
    if thread_id is None and isinstance(pressed, Message):
        thread_id = thread_of(pressed)
    if not generation.HasField("picture"):
        await services.messenger.reply(
            chat_id, photo.message_id, texts.no_picture(item), thread_id=thread_id
        )
        return
    picture = generation.picture
    text, buttons = texts.pictures.picture(item), keyboards.picture(item, texts)
    if picture.file_id:
        try:
            await services.messenger.reply_photo(
                chat_id, photo.message_id, picture.file_id, text, buttons, thread_id=thread_id
            )
        except WrongFile:
            pass  # Telegram has forgotten it; we have not
        else:
            return
    png = await services.database.get_image(
        db.GetImageRequest(generation_id=generation.id, user_id=photo.user_id)
    )
    await services.messenger.reply_photo(
        chat_id, photo.message_id, png, text, buttons, thread_id=thread_id
    )
