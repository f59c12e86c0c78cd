"""The card of a history: a message with one picture, in whose place another one is put."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from telegram import CallbackQuery, InlineKeyboardMarkup, MaybeInaccessibleMessage, Message

from bot import keyboards, zones
from bot.callbacks import is_of_card
from bot.clients.errors import NotFound
from bot.context import Context
from bot.messages import data_of, thread_of
from bot.placeholder import nothing
from bot.refusals import CannotDeliver, NotTaken, WrongFile
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_T = TypeVar("_T")


@dataclass(frozen=True)
class CardPress:
    """A press on a card by whoever may.

    Attributes:
        query: the press, as Telegram has it.
        card: the message with the button; all that is known of an old one is its id.
        owner_id: whose history it is.
        name: what the button does, or where it turns to.
        generation_id: the picture that it is about; empty where it turns.
    """

    query: CallbackQuery
    card: MaybeInaccessibleMessage
    owner_id: int
    name: str
    generation_id: str

    @property
    def is_editable(self) -> bool:
        """Whether it is a card of this owner, as far as Telegram says.

        Somebody who plays can press a button that is not there, on any message of ours.
        """
        return isinstance(self.card, Message) and any(
            is_of_card(data, self.owner_id) for data in data_of(self.card)
        )


async def look(
    context: Context, chat_id: int, owner_id: int, *, cursor: str = "", generation_id: str = ""
) -> db.ListHistoryResponse:
    """A page of one picture: by a cursor, or the one that has this picture or its neighbour."""
    request = db.ListHistoryRequest(
        bot_id=context.bot.id,
        chat_id=chat_id,
        user_id=owner_id,
        page_size=1,
        cursor=cursor,
        generation_id=generation_id,
    )
    return await context.services.database.list_history(request)


async def send(
    context: Context, asked: MaybeInaccessibleMessage, owner_id: int, page: db.ListHistoryResponse
) -> None:
    """Sends a card in reply to who asked for it, or beside a message that can't be edited."""
    await _send(context, asked, page.items[0], _buttons(context, owner_id, page))


async def turn(press: CardPress, context: Context, page: db.ListHistoryResponse) -> None:
    """Has the card show another page; where there is none, it goes."""
    if page.items:
        buttons = _buttons(context, press.owner_id, page)
        await _put(press, context, page.items[0], buttons)
    elif press.is_editable:
        await context.services.messenger.delete(
            press.card.chat.id, press.card.message_id, context.texts.no_history
        )


async def ask(press: CardPress, context: Context, item: db.Item) -> None:
    """Has the card ask whether its picture is to be deleted."""
    buttons = keyboards.card_deletion(press.owner_id, item.generation.id, context.texts)
    await _put(press, context, item, buttons)


async def with_picture(
    item: db.Item, services: Services, use: Callable[[bytes | str], Awaitable[_T]]
) -> _T:
    """Does something with a picture: by Telegram's file_id, or with the bytes if that is forgotten.

    Raises:
        NotFound: we do not have it any more either.
    """
    generation = item.generation
    if generation.picture.file_id:
        try:
            return await use(generation.picture.file_id)
        except WrongFile:
            pass  # Telegram has forgotten it; we have not
    request = db.GetImageRequest(generation_id=generation.id, user_id=item.photo.user_id)
    return await use(await services.database.get_image(request))


async def _put(
    press: CardPress, context: Context, item: db.Item, buttons: InlineKeyboardMarkup
) -> None:
    chat_id, message_id = press.card.chat.id, press.card.message_id
    messenger, text = context.services.messenger, _text(context, item)

    async def replace(photo: bytes | str) -> None:
        await messenger.replace_picture(chat_id, message_id, photo, text, buttons)

    if press.is_editable:
        try:
            await _with_picture_or_nothing(item, context.services, replace)
        except CannotDeliver:
            pass  # it is gone, or too old
        else:
            return
    await _send(context, press.card, item, buttons)


async def _send(
    context: Context, asked: MaybeInaccessibleMessage, item: db.Item, buttons: InlineKeyboardMarkup
) -> None:
    messenger, text = context.services.messenger, _text(context, item)
    thread_id = thread_of(asked) if isinstance(asked, Message) else None

    async def post(photo: bytes | str) -> None:
        await messenger.reply_photo(
            asked.chat.id, asked.message_id, photo, text, buttons, thread_id=thread_id
        )

    try:
        await _with_picture_or_nothing(item, context.services, post)
    except NotTaken:
        said = context.texts.pictures.photos_forbidden
        await messenger.reply(asked.chat.id, asked.message_id, said, thread_id=thread_id)


async def _with_picture_or_nothing(
    item: db.Item, services: Services, use: Callable[[bytes | str], Awaitable[None]]
) -> None:
    """Nothing where the bytes are lost, so that one can turn to the next."""
    try:
        await with_picture(item, services, use)
    except NotFound:
        await use(nothing())


def _buttons(context: Context, owner_id: int, page: db.ListHistoryResponse) -> InlineKeyboardMarkup:
    return keyboards.card(page, owner_id, context.texts, context.gallery_url)


def _text(context: Context, item: db.Item) -> str:
    return context.texts.pictures.card(item, zones.now(context.zone))
