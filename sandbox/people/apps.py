"""What people do with Mini Apps: open one, and send what one has prepared."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.people.lookups import (
    known_chat,
    known_message,
    known_user,
    send_via_bot,
    writable_chat,
)
from sandbox.state import InSandbox
from sandbox.storage.schema import Json
from sandbox.telegram.apps import launch_url, opens_app
from sandbox.telegram.chats import find_chat, is_in
from sandbox.telegram.menu_buttons import DEFAULT, OF_ALL, menu_button
from sandbox.telegram.prepared import PreparedRow, find_prepared, kind_of

router = APIRouter(prefix="/sandbox")

_Name = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
_Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Opening(_Body):
    """An app to open.

    Attributes:
        user: who.
        url: the app's address, as the bot offers it.
        message: the message whose button it is; none: the menu button.
        theme: the client's colours by the names of ThemeParams.
    """

    user: int
    url: Annotated[str, Field(max_length=2048)]
    message: int | None = None
    theme: Annotated[dict[_Name, _Colour], Field(max_length=30)] = {}


class Sending(_Body):
    """Where a prepared message goes."""

    user: int
    chat: int


@router.post("/chats/{chat_id}/app")
async def open_app(chat_id: int, opening: Opening, sandbox: InSandbox) -> Json:
    """Opens an app that the bot offers in the chat; gives the address, which says who opens it."""
    async with sandbox.database.reading() as tx:
        user = await known_user(tx, opening.user)
        if opening.url not in await _offered(tx, chat_id, opening):
            raise HTTPException(409, "the bot does not offer that app there")
        own = await find_chat(tx, opening.user)
    may_write = own is not None and is_in(own)
    url = launch_url(opening.url, sandbox.bot.token, user, opening.theme, may_write=may_write)
    return {"url": url}


async def _offered(tx: AsyncConnection, chat_id: int, opening: Opening) -> set[str]:
    """The addresses at the button; the user's chat with the bot need not be open yet."""
    if opening.message is not None:
        stored = await known_message(tx, chat_id, opening.message)
        if opening.user not in (await known_chat(tx, chat_id)).members:
            raise HTTPException(409, "the user is not in this chat")
        return opens_app(stored.message.get("reply_markup"))
    if chat_id != opening.user:
        raise HTTPException(409, "only one's own chat with the bot has a menu button")
    button = await menu_button(tx, chat_id)
    if button == DEFAULT:
        button = await menu_button(tx, OF_ALL)
    return {button["web_app"]["url"]} if button["type"] == "web_app" else set()


@router.get("/prepared/{prepared_id}")
async def show_prepared(
    prepared_id: str, user: Annotated[int, Query()], sandbox: InSandbox
) -> Json:
    """What an app has prepared for its user to send."""
    async with sandbox.database.reading() as tx:
        prepared = await _known_prepared(tx, user, prepared_id)
    return {
        "id": prepared.id,
        "content": prepared.content,
        "kinds": prepared.kinds,
        "expiration_date": prepared.expires,
    }


@router.post("/prepared/{prepared_id}/send")
async def send_prepared(prepared_id: str, sending: Sending, sandbox: InSandbox) -> Json:
    """Sends it in the user's own name."""
    async with sandbox.database.transaction() as tx:
        prepared = await _known_prepared(tx, sending.user, prepared_id)
        user = await known_user(tx, sending.user)
        chat = await writable_chat(tx, sending.chat, user)
        if kind_of(chat.chat) not in prepared.kinds:
            raise HTTPException(409, "the message is not for such a chat")
        return await send_via_bot(tx, chat, user, prepared.content, sandbox.bot)


async def _known_prepared(tx: AsyncConnection, user_id: int, prepared_id: str) -> PreparedRow:
    prepared = await find_prepared(tx, (await known_user(tx, user_id))["id"], prepared_id)
    if prepared is None:
        raise HTTPException(404, "there is no such prepared message, or it has expired")
    return prepared
