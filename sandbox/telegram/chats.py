"""Users and chats, and whether the bot may act in them.

A private chat comes into being when its user first writes to the bot, as on Telegram.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage.events import record_event
from sandbox.storage.schema import Json, chats, users
from sandbox.storage.values import next_number
from sandbox.telegram.account import BotAccount
from sandbox.telegram.refusals import Refusal, bad_request, forbidden
from sandbox.telegram.updates import push_update

ChatRow: TypeAlias = Row[Any]
"""A row of the table `chats`."""

_CHAT_ID = re.compile(r"-?[0-9]{1,16}")  # 52 bits at most, as Telegram promises
_FIRST_USER = 1000
_FIRST_GROUP = -4_000_000_000
_FIRST_SUPERGROUP = -1_002_000_000_000


_RIGHTS = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members",
    "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories",
    "can_edit_stories", "can_delete_stories", "can_post_messages", "can_edit_messages",
)  # fmt: skip
_OF_STATUS: dict[str, Json] = {
    "kicked": {"until_date": 0},
    "administrator": {
        "can_be_edited": False,
        "is_anonymous": False,
        **dict.fromkeys(_RIGHTS, True),
    },
}
"""What a `ChatMember` has of its own."""


async def add_user(tx: AsyncConnection, user: Json) -> Json:
    """Adds a user, or changes the one with this id; chooses the id if there is none."""
    while "id" not in user:
        user_id = _FIRST_USER + await next_number(tx, "user")
        if await find_user(tx, user_id) is None:  # somebody may have chosen it
            user = {"id": user_id, **user}
    known = await find_user(tx, user["id"])
    if known:
        await tx.execute(update(users).where(users.c.id == user["id"]).values(user=user))
    else:
        await tx.execute(insert(users).values(id=user["id"], user=user))
    return user


async def find_user(tx: AsyncConnection, user_id: int) -> Json | None:
    """The `User`, if there is one."""
    return (await tx.execute(select(users.c.user).where(users.c.id == user_id))).scalar()


async def list_users(tx: AsyncConnection) -> list[Json]:
    """All users, each as a `User`."""
    return list((await tx.execute(select(users.c.user).order_by(users.c.id))).scalars())


async def find_chat(tx: AsyncConnection, chat_id: int) -> ChatRow | None:
    """The chat, if there is one."""
    return (await tx.execute(select(chats).where(chats.c.id == chat_id))).one_or_none()


async def list_chats(tx: AsyncConnection) -> list[ChatRow]:
    """All chats."""
    return list(await tx.execute(select(chats).order_by(chats.c.id)))


async def _add_chat(
    tx: AsyncConnection, chat: Json, members: Sequence[int], status: str = "member"
) -> ChatRow:
    await tx.execute(
        insert(chats).values(
            id=chat["id"], chat=chat, members=list(members), bot_status=status, migrated_to=None
        )
    )
    return await _changed(tx, chat["id"])


async def _changed(tx: AsyncConnection, chat_id: int) -> ChatRow:
    """The chat as it is now; records the change as an event."""
    chat = (await tx.execute(select(chats).where(chats.c.id == chat_id))).one()
    await record_event(tx, "chat", {"chat_id": chat_id, "chat": describe(chat)})
    return chat


def describe(chat: ChatRow) -> Json:
    """A chat as the people's side shows it."""
    return {
        **chat.chat,
        "members": chat.members,
        "bot_status": chat.bot_status,
        "migrated_to": chat.migrated_to,
    }


async def open_private_chat(tx: AsyncConnection, user: Json) -> ChatRow:
    """The user's chat with the bot; made if there is none yet."""
    known = await find_chat(tx, user["id"])
    if known:
        return known
    chat = {"id": user["id"], "type": "private", "first_name": user["first_name"]}
    return await _add_chat(tx, chat, [user["id"]])


async def add_group(
    tx: AsyncConnection, group: Json, members: Sequence[int], bot: BotAccount
) -> ChatRow:
    """Adds a group, supergroup or channel, made by the first member, with the bot in it.

    In a channel the bot is an administrator: bots can be nothing else there.
    """
    number = await next_number(tx, "group")
    first = _FIRST_GROUP if group["type"] == "group" else _FIRST_SUPERGROUP
    status = "administrator" if group["type"] == "channel" else "member"
    chat = await _add_chat(tx, {"id": first - number, **group}, members, status)
    await _push_membership(tx, chat, bot, members[0], ("left", status))
    return chat


async def set_bot_status(tx: AsyncConnection, chat: ChatRow, status: str, bot: BotAccount) -> None:
    """Lets the chat's people block, remove or take back the bot, which gets an update."""
    if status == chat.bot_status:
        return
    await tx.execute(update(chats).where(chats.c.id == chat.id).values(bot_status=status))
    await _changed(tx, chat.id)
    await _push_membership(tx, chat, bot, chat.members[0], (chat.bot_status, status))


async def migrate_group(tx: AsyncConnection, chat: ChatRow) -> ChatRow:
    """Makes a supergroup of a group; the old chat takes no more messages."""
    number = await next_number(tx, "group")
    successor = {"id": _FIRST_SUPERGROUP - number, "type": "supergroup"}
    new = await _add_chat(tx, {**successor, "title": chat.chat["title"]}, chat.members)
    await tx.execute(update(chats).where(chats.c.id == chat.id).values(migrated_to=new.id))
    await _changed(tx, chat.id)
    return new


async def _push_membership(
    tx: AsyncConnection, chat: ChatRow, bot: BotAccount, by: int, change: tuple[str, str]
) -> None:
    actor = await find_user(tx, by)
    before, after = (
        {"user": bot.user, "status": status, **_OF_STATUS.get(status, {})} for status in change
    )
    payload = {
        "chat": chat.chat,
        "from": actor,
        "old_chat_member": before,
        "new_chat_member": after,
    }
    await push_update(tx, "my_chat_member", payload)


async def _chat_named(tx: AsyncConnection, chat_id: str) -> ChatRow:
    if not chat_id:
        raise bad_request("chat_id is empty")
    if not _CHAT_ID.fullmatch(chat_id):  # nobody here has a @name
        raise bad_request("chat not found")
    chat = await find_chat(tx, int(chat_id))
    if chat is not None:
        return chat
    if await find_user(tx, int(chat_id)) is not None:
        raise forbidden("bot can't initiate conversation with a user")
    raise bad_request("chat not found")


async def administrators(tx: AsyncConnection, chat: ChatRow) -> list[Json]:
    """A group's administrators, each as a `ChatMember`: the one who made it."""
    owner = await find_user(tx, chat.members[0])
    return [{"status": "creator", "user": owner, "is_anonymous": False}]


def is_in(chat: ChatRow) -> bool:
    """Whether the bot is in the chat, or has not been blocked."""
    return chat.bot_status in {"member", "administrator"}


async def require_member(tx: AsyncConnection, chat_id: str) -> ChatRow:
    """The chat, if the bot may edit its messages there.

    Raises:
        Refusal: there is no such chat, or the bot is not in it.
    """
    chat = await _chat_named(tx, chat_id)
    if is_in(chat):
        return chat
    kind = chat.chat["type"]
    if kind == "private":
        raise forbidden("bot was blocked by the user")
    if chat.bot_status == "kicked":
        raise forbidden(f"bot was kicked from the {kind} chat")
    raise forbidden(f"bot is not a member of the {kind} chat")


async def require_writable(tx: AsyncConnection, chat_id: str) -> ChatRow:
    """The chat, if the bot may send to it.

    Raises:
        Refusal: as `require_member`; or the group was made a supergroup.
    """
    chat = await require_member(tx, chat_id)
    if chat.migrated_to is not None:
        raise Refusal(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            parameters={"migrate_to_chat_id": chat.migrated_to},
        )
    return chat
