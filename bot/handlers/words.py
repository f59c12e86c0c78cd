"""Words: in reply to a picture, its card, a caption or a photo; after /paint; or with an offer."""

from typing import Any

from telegram import Message, Update
from telegram.ext import (
    BaseHandler,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    filters,
)

from bot import keyboards
from bot.callbacks import WORDS, answer, on_card
from bot.clients.errors import NotFound, NotOwner
from bot.context import Context
from bot.handlers import caption as captions
from bot.handlers.recorded import Recorded
from bot.messages import data_of, is_of_the_bot, picture_of, sender_of, thread_of, words_of
from bot.recipes import children
from bot.recipes.prompts import MOST_CHARACTERS
from bot.services import Services
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_CHARACTERS = 4096  # as many as Telegram lets anybody write


class _Reply(filters.MessageFilter):
    """Words in reply to a message of the bot's, or to a photo."""

    def filter(self, message: Message) -> bool:
        replied = message.reply_to_message
        if replied is None:
            return False
        return is_of_the_bot(replied) or picture_of(replied) is not None


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of words."""
    text = filters.UpdateType.MESSAGE & filters.TEXT & ~filters.COMMAND
    return [
        Recorded(MessageHandler(text & _Reply(), _tell_reply), _paint_reply),
        MessageHandler(text & filters.ChatType.PRIVATE, _offer),
        Recorded(CommandHandler("paint", _tell_command), _paint_command),
        Recorded(CallbackQueryHandler(_tell_offered, pattern=WORDS), _paint_offered),
    ]


async def _paint_reply(update: Update, services: Services) -> tuple[db.Item, bool] | None:
    """The picture that is painted, and whether the words say what its photo shows.

    None: the words are for nobody, or for somebody else.
    """
    message = update.message
    sender = sender_of(message) if message is not None else None
    if message is None or message.reply_to_message is None or sender is None:
        return None
    whose: dict[str, Any] = {
        "bot_id": message.get_bot().id,
        "chat_id": message.chat_id,
        "user_id": sender.id,
    }
    words, caption = words_of(message)[:_MOST_CHARACTERS], None
    if not words:
        return None
    replied = message.reply_to_message
    on_cards = (on_card(data, sender.id) for data in data_of(replied))
    if shown := next(filter(None, on_cards), None):
        about = db.GetGenerationRequest(**whose, generation_id=shown)
    else:
        about = db.GetGenerationRequest(**whose, message_id=replied.message_id)
    try:
        found = await services.database.get_generation(about)
        if found.kind == db.MESSAGE_KIND_QUESTION or captions.is_unasked(found.item):
            child, caption = children.same(found.item), " ".join(words.split())[:MOST_CHARACTERS]
        else:
            child = children.worded(found.item, words)
        request = db.CreateGenerationRequest(
            **whose,
            message_id=message.message_id,
            parent_id=found.item.generation.id,
            language_code=sender.language_code or "",
            recipe=child.recipe,
            parameters=child.parameters,
            several=child.several,
            caption=caption,
            exempt=sender.id in services.access.admins,
        )
        painted = await services.database.create_generation(request)
    except (NotFound, NotOwner):  # also of a picture that is deleted
        return None
    return painted.item, caption is not None


async def _tell_reply(update: Update, context: Context) -> None:
    if context.outcome is not None:
        context.wake()
        item, is_corrected = context.outcome
        if is_corrected:
            await captions.show(context, item)
    elif update.message is not None and update.message.chat.type == "private":
        await _offer(update, context)


async def _offer(update: Update, context: Context) -> None:
    message = update.message
    if message is not None and (words := _words(message.text)):
        await message.reply_text(
            context.texts.pictures.offer(words),
            reply_markup=keyboards.offer("w", context.texts),
            do_quote=True,  # the button's words are those of the message that it replies to
        )


async def _paint_command(update: Update, services: Services) -> db.Item | None:
    message = update.message
    return await _paint(message, _after_command(message), services) if message else None


async def _tell_command(update: Update, context: Context) -> None:
    if context.outcome is not None:
        context.wake()
    elif update.message is not None:
        await update.message.reply_text(context.texts.pictures.paint_usage)


async def _paint_offered(update: Update, services: Services) -> db.Item | None:
    query = update.callback_query
    offer = query.message if query is not None else None
    asked = offer.reply_to_message if isinstance(offer, Message) else None
    sender = sender_of(asked) if asked is not None else None
    if query is None or asked is None or sender is None or sender.id != query.from_user.id:
        return None  # somebody who plays would paint in another's name
    return await _paint(asked, _words(asked.text), services)


async def _tell_offered(update: Update, context: Context) -> None:
    query = update.callback_query
    if query is None or query.message is None:
        return
    if context.outcome is None:
        await answer(query, context.texts.gone)
        return
    context.wake()
    await answer(query, context.texts.pictures.coming)
    await context.services.messenger.delete(
        query.message.chat.id, query.message.message_id, context.texts.pictures.coming
    )


async def _paint(message: Message, words: str, services: Services) -> db.Item | None:
    """A picture of a message's words alone; None: there are none."""
    sender = sender_of(message)
    if sender is None or not words:
        return None
    request = db.CreateGenerationRequest(
        bot_id=message.get_bot().id,
        chat_id=message.chat_id,
        user_id=sender.id,
        message_id=message.message_id,
        message_thread_id=thread_of(message),
        language_code=sender.language_code or "",
        recipe=db.Recipe(words=words),
        parameters=db.Parameters(seed=children.new_seed()),
        several=True,
        exempt=sender.id in services.access.admins,
    )
    return (await services.database.create_generation(request)).item


def _after_command(message: Message) -> str:
    _, *rest = (message.text or "").split(maxsplit=1)
    return _words(*rest)


def _words(text: str | None = None) -> str:
    return printable(text or "").strip()[:_MOST_CHARACTERS]
