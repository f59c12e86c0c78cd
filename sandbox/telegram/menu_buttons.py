"""Menu buttons: what stands beside the field in which people write to the bot.

core.telegram.org/bots/api#menubutton.
"""

from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage.schema import Json, menu_buttons

DEFAULT: Final[Json] = {"type": "default"}
"""The button where none is set: a chat then has that of all chats, and they have the commands."""

OF_ALL: Final = 0
"""In the place of a chat's id: the button of all private chats that have none of their own."""


async def set_menu_button(tx: AsyncConnection, chat_id: int, button: Json) -> None:
    """Sets the button of a private chat, or of all."""
    await tx.execute(delete(menu_buttons).where(menu_buttons.c.chat_id == chat_id))
    if button != DEFAULT:
        await tx.execute(insert(menu_buttons).values(chat_id=chat_id, button=button))


async def menu_button(tx: AsyncConnection, chat_id: int) -> Json:
    """What is set for exactly this private chat, or for all."""
    query = select(menu_buttons.c.button).where(menu_buttons.c.chat_id == chat_id)
    return (await tx.execute(query)).scalar() or DEFAULT


async def list_menu_buttons(tx: AsyncConnection) -> list[Json]:
    """All that are set, each {chat_id, button}; that of all chats has no chat_id."""
    return [
        {"chat_id": row.chat_id or None, "button": row.button}
        for row in await tx.execute(select(menu_buttons).order_by(menu_buttons.c.chat_id))
    ]
