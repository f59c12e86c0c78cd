"""answerInlineQuery, savePreparedInlineMessage, setMessageReaction."""

import re
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.botapi.call import Call
from sandbox.storage.schema import Json
from sandbox.telegram.apps import opens_app
from sandbox.telegram.chats import find_user, require_member
from sandbox.telegram.files import reuse_file
from sandbox.telegram.formatting import message_caption
from sandbox.telegram.inline import answer, is_enabled
from sandbox.telegram.keyboards import CHAT_KINDS, read_inline_markup, switches_inline
from sandbox.telegram.messages import find_message
from sandbox.telegram.prepared import prepare
from sandbox.telegram.reactions import EMOJI, react
from sandbox.telegram.refusals import bad_request

_MAX_RESULTS = 50
_MAX_ID_BYTES = 64
_MAX_OFFSET_BYTES = 64
_ANY_CHAT = ""  # where a result will be sent, nobody knows yet
_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def answer_inline_query(call: Call) -> bool:
    """What a person may send: photos that Telegram has; no other kind is known here."""
    results = call.params.json("results", "inline query results")
    if not isinstance(results, list):
        raise bad_request("expected an Array of InlineQueryResult")
    if len(results) > _MAX_RESULTS:
        raise bad_request("RESULTS_TOO_MUCH")
    offset = call.params.text("next_offset")
    if len(offset.encode()) > _MAX_OFFSET_BYTES:
        raise bad_request("NEXT_OFFSET_INVALID")
    given: Json = {
        "cache_time": call.params.integer("cache_time", 300),
        "is_personal": call.params.boolean("is_personal"),
        "next_offset": offset,
        "button": _read_button(call.params.json("button", "inline query results button")),
    }
    async with call.sandbox.database.transaction() as tx:
        given["results"] = [await _read_result(tx, result) for result in results]
        if len({result["id"] for result in given["results"]}) < len(results):
            raise bad_request("RESULT_ID_DUPLICATE")
        await answer(tx, call.params.text("inline_query_id"), given)
    return True


async def save_prepared_inline_message(call: Call) -> Json:
    """A message that a user of a Mini App may send; the bot needs no inline mode for it."""
    user_id = call.params.integer("user_id", 0)
    if user_id <= 0:
        raise bad_request("invalid user_id specified")
    result = call.params.json("result", "inline query result")
    if result is None:
        raise bad_request("result isn't specified")
    kinds = [kind for kind in CHAT_KINDS if call.params.boolean(f"allow_{kind}_chats")]
    if not kinds:
        raise bad_request("at least one chat type must be allowed")
    async with call.sandbox.database.transaction() as tx:
        if await find_user(tx, user_id) is None:
            raise bad_request("user not found")
        content = (await _read_result(tx, result))["content"]
        return await prepare(tx, user_id, content, kinds)


async def require_possible(tx: AsyncConnection, markup: Json | None, chat_type: str) -> None:
    """Buttons that lead to inline mode are for bots that have it, those of apps for private chats.

    Raises:
        Refusal: this bot, or this chat, cannot have them.
    """
    no_app = chat_type != "private" and opens_app(markup)
    if no_app or (switches_inline(markup) and not await is_enabled(tx)):
        raise bad_request("BUTTON_TYPE_INVALID")


async def _read_result(tx: AsyncConnection, result: Any) -> Json:
    """A result, as {id, content}: the fields of the `Message` that it becomes."""
    problem = "can't parse inline query result: "
    if not isinstance(result, dict):
        raise bad_request(f"{problem}InlineQueryResult must be an Object")
    for field in ("type", "id", "photo_file_id", "caption", "parse_mode"):
        if not isinstance(result.get(field, ""), str):
            raise bad_request(f'{problem}Field "{field}" must be of type String')
    if result.get("type") != "photo" or not result.get("photo_file_id"):
        raise bad_request(f"{problem}type is unsupported")
    if not 1 <= len(result.get("id", "").encode()) <= _MAX_ID_BYTES:
        raise bad_request("RESULT_ID_INVALID")
    caption = message_caption(
        result.get("caption", ""), result.get("parse_mode", ""), result.get("caption_entities")
    )
    markup = read_inline_markup(result.get("reply_markup"))
    await require_possible(tx, markup, _ANY_CHAT)
    buttons = {} if markup is None else {"reply_markup": markup}
    photo = await reuse_file(tx, result["photo_file_id"], "photo")
    return {"id": result["id"], "content": {**photo, **caption, **buttons}}


def _read_button(button: Any) -> Json | None:
    if button is None:
        return None
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise bad_request("can't parse inline query results button")
    if not _PARAMETER.fullmatch(str(button.get("start_parameter", ""))):
        raise bad_request("START_PARAM_INVALID")
    return button


async def set_message_reaction(call: Call) -> bool:
    """The bot's reaction to a message, in the place of its earlier one, or none."""
    given = call.params.json("reaction", "reaction types") or []
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise bad_request("expected an Array of ReactionType")
    if len(given) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    emoji = [each.get("emoji") for each in given if each.get("type") == "emoji"]
    if len(emoji) < len(given) or not EMOJI.issuperset(emoji):
        raise bad_request("REACTION_INVALID")
    async with call.sandbox.database.transaction() as tx:
        chat = await require_member(tx, call.params.text("chat_id"))
        stored = await find_message(tx, chat.id, call.params.integer("message_id", 0))
        if stored is None:
            raise bad_request("message to react not found")
        await react(tx, stored, call.sandbox.bot.id, emoji)
    return True
