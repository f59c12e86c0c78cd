"""What a photo shows: one of the captioner's guesses, or what its owner says."""

import contextlib
from typing import Any

from telegram import ForceReply, Update
from telegram.ext import BaseHandler

from bot import keyboards
from bot.answering import answered_by, topic_of
from bot.callbacks import ASK, GUESS, answer
from bot.clients.errors import NotFound
from bot.context import QUESTION_SECONDS, Context
from bot.handlers.pressed import Button, Press, create, find, note, tell_created
from bot.recipes import children
from bot.refusals import CannotDeliver, Moved, TelegramUnavailable
from bot.services import Services
from bot.work.item import CAPTIONS_USED_UP
from protos.lookalike.db.v1 import db_pb2 as db


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the buttons under a caption. A reply to the question is `words`'s."""
    return [
        Button(_paint, _tell).handler(GUESS),
        Button(find, _ask).handler(ASK),
    ]


def is_unasked(item: db.Item) -> bool:
    """Whether nobody could be asked what a photo shows, so that its owner may say it."""
    return item.generation.error.code == CAPTIONS_USED_UP and not item.photo.HasField("caption")


async def show(context: Context, made: db.Item) -> None:
    """Has the caption's message say what the photo shows, by which another picture was made."""
    photo = made.photo
    if not photo.HasField("caption_message_id"):
        return
    # The picture that is on its way says it, too.
    with contextlib.suppress(CannotDeliver, Moved, TelegramUnavailable):
        await context.services.messenger.rewrite(
            photo.chat_id,
            photo.caption_message_id,
            context.texts.caption(photo.caption),
            keyboards.caption(photo.caption, made.generation.parent_id, context.texts),
        )


async def _paint(press: Press, services: Services) -> db.CreateGenerationResponse:
    item = await find(press, services)
    caption, number = item.photo.caption, int(press.name)
    if number >= len(caption.guesses):
        raise NotFound("there is no such guess any more")
    guess = caption.guesses[number]
    # What it was painted by already would become the same picture.
    child = children.again(item) if guess == caption.text else children.same(item)
    return await create(press, services, child, caption=guess)


async def _tell(press: Press, context: Context, made: db.CreateGenerationResponse) -> None:
    await tell_created(press, context, made)
    await show(context, made.item)


async def _ask(press: Press, context: Context, item: db.Item) -> None:
    """Asks what the photo shows; once, however often the button is pressed."""
    said, photo = context.texts.pictures, item.photo
    asked = item.generation.id
    if not context.bot_data.questions.may_give(asked) or not await context.services.claim(
        f"question:{asked}", int(QUESTION_SECONDS)
    ):
        await answer(press.query, said.question_asked)
        return
    await answer(press.query)
    question = await context.services.messenger.reply(
        photo.chat_id,
        answered_by(item),
        said.question,
        # In a group it opens a reply for whoever has sent what it answers.
        ForceReply(selective=True, input_field_placeholder=said.question_hint),
        thread_id=topic_of(photo),
    )
    await note(context, item, question, db.MESSAGE_KIND_QUESTION)
