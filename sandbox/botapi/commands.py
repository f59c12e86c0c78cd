"""setMyCommands, getMyCommands, deleteMyCommands: the menu, by scope and language."""

import json
import re
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.botapi.call import Call
from sandbox.storage.schema import Json, commands
from sandbox.telegram.chats import require_member
from sandbox.telegram.refusals import bad_request

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_MAX_COMMANDS = 100
_MAX_DESCRIPTION = 256
_SCOPES_OF_ALL = frozenset(
    {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}
)
_SCOPES_OF_A_CHAT = frozenset({"chat", "chat_administrators", "chat_member"})


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
    language = call.params.language()
    async with call.sandbox.database.reading() as tx:
        scope = await _read_scope(tx, call)
        query = select(commands.c.commands).where(
            commands.c.scope == scope, commands.c.language_code == language
        )
        return (await tx.execute(query)).scalar() or []


async def _keep_commands(call: Call, checked: list[Json]) -> None:
    language = call.params.language()
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
