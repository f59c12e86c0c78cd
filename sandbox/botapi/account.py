"""getMe, the commands, getFile, answerCallbackQuery, getChatAdministrators."""

import json
import re
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.botapi.call import Call
from sandbox.storage.schema import Json, commands
from sandbox.telegram.callbacks import answer_callback
from sandbox.telegram.chats import administrators, require_member
from sandbox.telegram.files import MAX_DOWNLOAD_BYTES, find_file
from sandbox.telegram.refusals import bad_request

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"(?:[a-z]{2})?")
_MAX_COMMANDS = 100
_MAX_DESCRIPTION = 256
_MAX_ANSWER = 200
_SCOPES_OF_ALL = frozenset(
    {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}
)
_SCOPES_OF_A_CHAT = frozenset({"chat", "chat_administrators", "chat_member"})


async def get_me(call: Call) -> Json:
    """The bot itself."""
    return {
        **call.sandbox.bot.user,
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
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
    sizes = content.get("photo") or [content["document"]]
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


async def set_my_commands(call: Call) -> bool:
    """The menu of commands, for a scope and a language."""
    given = call.params.json("commands", "commands")
    if not isinstance(given, list):
        raise bad_request("expected an Array of BotCommand")
    if len(given) > _MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    checked = [_check_command(command) for command in given]
    await _keep_commands(call, checked)
    return True


async def delete_my_commands(call: Call) -> bool:
    """No commands of its own for a scope and a language."""
    await _keep_commands(call, [])
    return True


async def get_my_commands(call: Call) -> list[Json]:
    """The commands set for exactly this scope and language."""
    language = _read_language(call)
    async with call.sandbox.database.reading() as tx:
        scope = await _read_scope(tx, call)
        query = select(commands.c.commands).where(
            commands.c.scope == scope, commands.c.language_code == language
        )
        return (await tx.execute(query)).scalar() or []


async def _keep_commands(call: Call, checked: list[Json]) -> None:
    language = _read_language(call)
    async with call.sandbox.database.transaction() as tx:
        scope = await _read_scope(tx, call)
        await tx.execute(
            delete(commands).where(commands.c.scope == scope, commands.c.language_code == language)
        )
        if checked:
            row = {"scope": scope, "language_code": language, "commands": checked}
            await tx.execute(insert(commands).values(row))


def _check_command(command: Any) -> Json:
    problem = "can't parse BotCommand: "
    if not isinstance(command, dict):
        raise bad_request(f"{problem}expected an Object")
    for field in ("command", "description"):
        if not isinstance(command.get(field), str):
            raise bad_request(f'{problem}Field "{field}" must be of type String')
    name = command["command"].strip().removeprefix("/")
    description = command["description"].strip()
    if not name:
        raise bad_request("command must be non-empty")
    if not _COMMAND.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= _MAX_DESCRIPTION:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}


def _read_language(call: Call) -> str:
    language = call.params.text("language_code")
    if not _LANGUAGE.fullmatch(language):
        raise bad_request("LANG_CODE_INVALID")
    return language


async def _read_scope(tx: AsyncConnection, call: Call) -> str:
    """The scope as a key: its JSON, in one way of writing."""
    scope = call.params.json("scope", "BotCommandScope")
    if scope is None:
        scope = {"type": "default"}
    problem = "can't parse BotCommandScope: "
    if not isinstance(scope, dict):
        raise bad_request(f"{problem}BotCommandScope must be an Object")
    kind = str(scope.get("type"))
    if kind in _SCOPES_OF_ALL:
        return json.dumps({"type": kind})
    if kind not in _SCOPES_OF_A_CHAT:
        raise bad_request(f"{problem}Unsupported type specified")
    chat = await require_member(tx, str(scope.get("chat_id", "")))
    key: Json = {"type": kind, "chat_id": chat.id}
    if kind == "chat_member":
        if type(scope.get("user_id")) is not int:
            raise bad_request("invalid user_id specified")
        key["user_id"] = scope["user_id"]
    return json.dumps(key)
