"""A button under a picture: for its owner alone, or whoever administers a group that is its owner.

Some are for whoever administers the group, whose picture ever it is.

What a press makes or ends is recorded before the update is confirmed; what it is told comes after.
No state is kept anywhere but in the button and in dbservice, so a button works for ever.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from telegram import (
    CallbackQuery,
    InlineKeyboardMarkup,
    MaybeInaccessibleMessage,
    Message,
    Update,
)
from telegram.ext import BaseHandler, CallbackQueryHandler

from bot.callbacks import answer, generation_id, is_about
from bot.clients.errors import DatabaseError, NotFound, NotOwner
from bot.context import Context
from bot.handlers.recorded import Recorded
from bot.messages import data_of
from bot.recipes.children import Child
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_T = TypeVar("_T")

_MOST_SECONDS: Final = 120
"""After which another process no longer believes that a press is being served."""


@dataclass(frozen=True)
class Press:
    """A press.

    Attributes:
        query: the press, as Telegram has it.
        message: the message with the button; all that is known of an old one is its id.
        name: what the button does, or which style it stands for.
        generation_id: the picture that it is about.
        owner_id: for whom it is pressed.
        administers: whether it may be another's picture, since its chat is administered by who
            presses.
    """

    query: CallbackQuery
    message: MaybeInaccessibleMessage
    name: str
    generation_id: str
    owner_id: int
    administers: bool = False

    async def is_at_home(self, services: Services) -> bool:
        """Whether the message is about the picture that the button names.

        Somebody who plays can press a button that is not there, on any message of ours.
        """
        if isinstance(self.message, Message):
            return any(is_about(data, self.generation_id) for data in data_of(self.message))
        request = db.GetGenerationRequest(
            bot_id=self.query.get_bot().id,
            chat_id=self.message.chat.id,
            user_id=self.owner_id,
            message_id=self.message.message_id,
            administrator=self.administers,
        )
        try:
            found = await services.database.get_generation(request)
        except (NotFound, NotOwner):
            return False
        about = {found.item.generation.id, *(member.id for member in found.item.members)}
        return self.generation_id in about

    async def show(self, context: Context, buttons: InlineKeyboardMarkup) -> None:
        """Puts other buttons under the message, if it is about the picture."""
        if not await self.is_at_home(context.services):
            return
        await context.services.messenger.show_buttons(
            self.message.chat.id, self.message.message_id, buttons
        )


@dataclass(frozen=True)
class Button(Generic[_T]):
    """What is done at a press.

    Attributes:
        act: does it for the owner; it is safe to repeat.
        tell: answers, with what `act` gave.
        for_group_admins: whether a group's may press it under anybody's picture.
    """

    act: Callable[[Press, Services], Awaitable[_T]]
    tell: Callable[[Press, Context, _T], Awaitable[None]]
    for_group_admins: bool = False

    def handler(self, pattern: Any) -> BaseHandler[Update, Context, Any]:
        """The handler of buttons whose data match, with a name and a generation's id."""

        async def record(update: Update, services: Services) -> _T | None:
            press = _press(update, pattern)
            if press is None:
                return None
            try:
                return await self.act(press, services)
            except NotOwner:
                return None

        async def tell(update: Update, context: Context) -> None:
            press, outcome = _press(update, pattern), context.outcome
            if press is None:
                return
            chat, services = press.message.chat, context.services
            # Only Telegram knows that, and nobody's photo waits for its answer. Should this process
            # die meanwhile, the button is still there.
            if outcome is None and await services.group_admins.include(chat, press.owner_id):
                press = replace(press, owner_id=chat.id, administers=self.for_group_admins)
                outcome = await self.act(press, services)
            if outcome is None:
                await answer(press.query, context.texts.not_yours)
                return
            await self.tell(press, context, outcome)

        return Recorded(CallbackQueryHandler(tell, pattern=pattern), record)


def _press(update: Update, pattern: Any) -> Press | None:
    query = update.callback_query
    if query is None or query.message is None:
        return None
    match = pattern.match(query.data or "")
    if match is None:
        return None
    return Press(query, query.message, match[1], generation_id(match[2]), query.from_user.id)


async def find(press: Press, services: Services) -> db.Item:
    """The picture.

    Raises:
        NotFound: there is none, or it was deleted.
        NotOwner: it is another's.
    """
    request = db.GetGenerationRequest(
        bot_id=press.query.get_bot().id,
        chat_id=press.message.chat.id,
        user_id=press.owner_id,
        generation_id=press.generation_id,
        administrator=press.administers,
    )
    item = (await services.database.get_generation(request)).item
    if item.generation.HasField("deleted_at"):
        raise NotFound("the picture was deleted")
    return item


async def create(
    press: Press, services: Services, child: Child, *, caption: str | None = None
) -> db.CreateGenerationResponse:
    """Makes another picture of the one that the button is about; safe to repeat.

    Args:
        press: the press.
        services: dbservice is asked.
        child: the other picture.
        caption: what the photo shows from now on, if it is something else.
    """
    return await services.database.create_generation(
        db.CreateGenerationRequest(
            bot_id=press.query.get_bot().id,
            chat_id=press.message.chat.id,
            user_id=press.owner_id,
            message_id=press.message.message_id,
            request_id=press.query.id,
            parent_id=press.generation_id,
            button=press.query.data or "",
            language_code=press.query.from_user.language_code or "",
            recipe=child.recipe,
            parameters=child.parameters,
            several=child.several,
            caption=caption,
            exempt=press.query.from_user.id in services.access.admins,
        )
    )


async def tell_created(press: Press, context: Context, made: db.CreateGenerationResponse) -> None:
    """Answers a press that has made another picture, or has found it under way."""
    context.wake()
    said = context.texts.pictures
    await answer(press.query, said.coming if made.created else said.under_way)


@asynccontextmanager
async def once(query: CallbackQuery, context: Context) -> AsyncGenerator[bool, None]:
    """Whether a press is to be served; while it is, others of the same button are told so."""
    chat_id = query.message.chat.id if query.message is not None else 0
    pressed, under_way = f"{chat_id}:{query.data}", context.bot_data.under_way
    if pressed in under_way:
        await answer(query, context.texts.pictures.under_way)
        yield False
        return
    under_way.add(pressed)
    claim, name = context.services.claim, f"press:{pressed}"
    try:
        if not await claim(name, _MOST_SECONDS):
            await answer(query, context.texts.pictures.under_way)
            yield False
            return
        try:
            yield True
        finally:
            with suppress(DatabaseError):
                await claim(name, 0)
    finally:
        under_way.discard(pressed)


async def note(context: Context, item: db.Item, sent: Message, kind: db.MessageKind) -> None:
    """Notes that a message which was sent is about a picture: replies to it are, too.

    Those that show it go when it is deleted.
    """
    await context.services.database.note_message(
        db.NoteMessageRequest(
            bot_id=context.bot.id,
            chat_id=sent.chat_id,
            user_id=item.photo.user_id,
            generation_id=item.generation.id,
            message_id=sent.message_id,
            kind=kind,
        )
    )


async def may_act_for(owner_id: int, query: CallbackQuery, context: Context) -> bool:
    """Whether it is one's own, or that of a group which one administers."""
    if query.from_user.id == owner_id:
        return True
    chat = query.message.chat if query.message is not None else None
    return (
        chat is not None
        and chat.id == owner_id
        and await context.services.group_admins.include(chat, query.from_user.id)
    )
