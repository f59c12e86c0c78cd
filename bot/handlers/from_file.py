"""/paint with a PNG of ours, or in reply to one: an offer to paint from the recipe in it.

A press reads the file again, so that it needs no state. Reading is Telegram's to answer, and nobody
else's updates wait for that: a press is recorded after it is confirmed. Until then the offer stays.
"""

import re
from pathlib import PurePath
from typing import Any, Final

from telegram import CallbackQuery, Document, Message, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, MessageHandler, filters

from bot import keyboards
from bot.callbacks import FROM_FILE, answer, from_file_data
from bot.context import Context
from bot.handlers.pressed import may_act_for, once
from bot.messages import MOST_BYTES, data_of, is_private, sender_of, thread_of
from bot.recipes import png
from bot.recipes.children import new_seed
from bot.recipes.from_file import FileRecipe, parse
from bot.refusals import WrongFile
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_COMMAND: Final = re.compile(r"(?is)/paint(?:@(?P<bot>\w+))?(?:\s+(?P<words>.*))?")


class _AsksForRecipe(filters.UpdateFilter):
    """New messages alone; edits are none."""

    def filter(self, update: Update) -> bool:
        return update.message is not None and _asked(update.message) is not None


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the command and of its button."""
    return [
        MessageHandler(_AsksForRecipe(), _offer),
        CallbackQueryHandler(_press, pattern=FROM_FILE),
    ]


def _asked(message: Message) -> tuple[Message, str] | None:
    """The message with the file, and the words to paint in place of the file's own, if any."""
    file = message if message.document is not None else message.reply_to_message
    if file is None or file.document is None:
        return None
    if not is_private(message) and not _may_have_recipe(file.document):
        return None  # the command is about the photo that it is
    match = _COMMAND.fullmatch((message.caption if file is message else message.text) or "")
    if match is None:
        return None
    if match["bot"] and match["bot"].lower() != message.get_bot().username.lower():
        return None
    words = printable(match["words"] or "").strip()
    if words and file is not message:
        return None  # they are painted alone, whatever they reply to
    return file, words


def _may_have_recipe(document: Document) -> bool:
    """Whether a file may be a PNG; recipes are in no other."""
    name = PurePath(document.file_name or "").suffix.lower()
    return name in ("", ".png") or document.mime_type == "image/png"


async def _offer(update: Update, context: Context) -> None:
    message = update.message
    asked = _asked(message) if message is not None else None
    sender = sender_of(message) if message is not None else None
    if message is None or asked is None or sender is None:
        return
    file, words = asked
    recipe = await _read(file, words, sender.id, context)
    if isinstance(recipe, str):
        await message.reply_text(recipe)
        return
    await context.services.messenger.reply(
        message.chat_id,
        file.message_id,  # the message that a press gets to see
        context.texts.pictures.offer_of_file(recipe),
        keyboards.offer(from_file_data(sender.id, message.message_id), context.texts),
        thread_id=thread_of(message),
    )


async def _press(update: Update, context: Context) -> None:
    query = update.callback_query
    offer = query.message if query is not None else None
    match = FROM_FILE.match(query.data or "") if query is not None else None
    if query is None or match is None:
        return
    if not isinstance(offer, Message) or query.data not in data_of(offer):
        await answer(query, context.texts.gone)  # also where somebody plays
        return
    if not await may_act_for(int(match["owner"]), query, context):
        await answer(query, context.texts.not_yours)
        return
    async with once(query, context) as is_first:
        if not is_first:
            return
        refusal = await _paint(query, offer, match, context)
    coming = context.texts.pictures.coming
    await answer(query, refusal or coming)
    if refusal is None:
        context.wake()
        await context.services.messenger.delete(offer.chat_id, offer.message_id, coming)


async def _paint(
    query: CallbackQuery, offer: Message, match: re.Match[str], context: Context
) -> str | None:
    """Makes the picture that is offered, one for each message that asks; or gives what is wrong."""
    owner, asking, file = int(match["owner"]), int(match["message"]), offer.reply_to_message
    if file is None:
        return context.texts.gone
    asked = _asked(file) if file.message_id == asking else None
    recipe = await _read(file, asked[1] if asked is not None else "", owner, context)
    if isinstance(recipe, str):
        return recipe
    parameters = recipe.child.parameters
    if not parameters.HasField("seed"):
        parameters.seed = new_seed()
    await context.services.database.create_generation(
        db.CreateGenerationRequest(
            bot_id=offer.get_bot().id,
            chat_id=offer.chat_id,
            user_id=owner,
            message_id=asking,
            message_thread_id=thread_of(offer),
            language_code=query.from_user.language_code or "",
            recipe=recipe.child.recipe,
            parameters=parameters,
            exempt=query.from_user.id in context.services.access.admins,
        )
    )
    return None


async def _read(file: Message, words: str, user: int, context: Context) -> FileRecipe | str:
    """The recipe in a message's file, or what is wrong with that."""
    services, said = context.services, context.texts
    if file.document is None:
        return said.gone
    try:
        async with services.downloading.turn(user):
            told = png.read(await services.messenger.download(file.document.file_id, MOST_BYTES))
    except WrongFile as error:
        return said.ending(error.code)
    return parse(told, words) or said.pictures.no_recipe
