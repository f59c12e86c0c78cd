"""getMe, getFile, answerCallbackQuery, getChatAdministrators."""

from sandbox.botapi.call import Call
from sandbox.storage.schema import Json
from sandbox.telegram.callbacks import answer_callback
from sandbox.telegram.chats import administrators, require_member
from sandbox.telegram.files import MAX_DOWNLOAD_BYTES, find_file
from sandbox.telegram.inline import is_enabled
from sandbox.telegram.profile import bot_user
from sandbox.telegram.refusals import bad_request

_MAX_ANSWER = 200


async def get_me(call: Call) -> Json:
    """The bot itself."""
    async with call.sandbox.database.reading() as tx:
        user = await bot_user(tx, call.sandbox.bot)
        has_inline_mode = await is_enabled(tx)
    return {
        **user,
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": has_inline_mode,
    }


async def get_file(call: Call) -> Json:
    """Where a file can be downloaded."""
    file_id = call.params.text("file_id")
    if not file_id:
        raise bad_request("file_id not specified")
    async with call.sandbox.database.reading() as tx:
        file = await find_file(tx, file_id)
    if file is None:
        raise bad_request("invalid file_id")
    if not file.valid:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if file.size > MAX_DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    names = _names_of(file.content, file_id)
    return {**names, "file_size": file.size, "file_path": file.path}


def _names_of(content: Json, file_id: str) -> Json:
    sizes = content.get("photo") or list(content.values())
    (named,) = (size for size in sizes if size["file_id"] == file_id)
    return {"file_id": file_id, "file_unique_id": named["file_unique_id"]}


async def answer_callback_query(call: Call) -> bool:
    """Answers whoever pressed a button."""
    text = call.params.text("text")
    if len(text) > _MAX_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    answer = {"text": text, "show_alert": call.params.boolean("show_alert")}
    async with call.sandbox.database.transaction() as tx:
        await answer_callback(tx, call.params.text("callback_query_id"), answer)
    return True


async def get_chat_administrators(call: Call) -> list[Json]:
    """Who administers a group."""
    async with call.sandbox.database.reading() as tx:
        chat = await require_member(tx, call.params.text("chat_id"))
        if chat.chat["type"] == "private":
            raise bad_request("there are no administrators in the private chat")
        return await administrators(tx, chat)
