"""setChatMenuButton, getChatMenuButton."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.botapi.call import Call
from sandbox.storage.schema import Json
from sandbox.telegram.apps import read_app
from sandbox.telegram.chats import find_chat
from sandbox.telegram.menu_buttons import DEFAULT, OF_ALL, menu_button, set_menu_button
from sandbox.telegram.refusals import bad_request

_MAX_TEXT = 64  # Telegram's own is not documented
_PROBLEM = "can't parse menu button: "


async def set_chat_menu_button(call: Call) -> bool:
    """The button of a private chat, or of all that have none of their own."""
    button = _read(call.params.json("menu_button", "menu button"))
    async with call.sandbox.database.transaction() as tx:
        await set_menu_button(tx, await _read_chat(tx, call), button)
    return True


async def get_chat_menu_button(call: Call) -> Json:
    """What is set for exactly this private chat, or for all."""
    async with call.sandbox.database.reading() as tx:
        return await menu_button(tx, await _read_chat(tx, call))


async def _read_chat(tx: AsyncConnection, call: Call) -> int:
    if not call.params.text("chat_id"):
        return OF_ALL
    user_id = call.params.integer("chat_id", 0)
    if user_id <= 0:
        raise bad_request("invalid chat_id specified")
    if await find_chat(tx, user_id) is None:
        raise bad_request("user not found")
    return user_id


def _read(given: Any) -> Json:
    if given is None:
        return DEFAULT
    if not isinstance(given, dict):
        raise bad_request(f"{_PROBLEM}MenuButton must be an Object")
    if given.get("type") in {"default", "commands"}:
        return {"type": given["type"]}
    if given.get("type") != "web_app":
        raise bad_request(f"{_PROBLEM}MenuButton has unsupported type")
    text = given.get("text")
    if not isinstance(text, str):
        raise bad_request(f'{_PROBLEM}Field "text" must be of type String')
    text = text.strip()
    if not text:
        raise bad_request("menu button text must be non-empty")
    if len(text) > _MAX_TEXT:
        raise bad_request("BUTTON_TEXT_INVALID")
    app = read_app(given.get("web_app"), _PROBLEM, "menu button web app")
    return {"type": "web_app", "text": text, "web_app": app}
