"""Reactions to messages: an emoji or a few of each person, and one of the bot."""

import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage.events import record_event
from sandbox.storage.schema import Json, reactions
from sandbox.telegram.chats import ChatRow
from sandbox.telegram.messages import MessageRow, reactions_to
from sandbox.telegram.updates import push_update

_NAMED = """
👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤️‍🔥
🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨
🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂️ 🤷 🤷‍♀️ 😡
"""

EMOJI: Final = frozenset(_NAMED.split())
"""Those that anybody can react with (core.telegram.org/bots/api#reactiontypeemoji)."""

MOST_OF_A_PERSON: Final = 3
"""With Telegram Premium; the bot has one, as everybody else."""


async def react(
    tx: AsyncConnection, stored: MessageRow, user_id: int, emoji: Sequence[str]
) -> list[str]:
    """Has somebody's reactions to a message be these alone; gives those that they were."""
    table = reactions
    theirs = (
        table.c.chat_id == stored.chat_id,
        table.c.message_id == stored.message_id,
        table.c.user_id == user_id,
    )
    before = (await tx.execute(select(table.c.emoji).where(*theirs))).scalar() or []
    await tx.execute(delete(table).where(*theirs))
    key = {"chat_id": stored.chat_id, "message_id": stored.message_id}
    if emoji:
        await tx.execute(insert(table).values(**key, user_id=user_id, emoji=list(emoji)))
    found = await reactions_to(tx, stored.chat_id, (stored.message_id - 1, stored.message_id + 1))
    shown = found.get(stored.message_id, [])
    await record_event(tx, "reaction", {**key, "reactions": shown})
    return before


async def tell_bot(
    tx: AsyncConnection, chat: ChatRow, message_id: int, user: Json, change: Sequence[Sequence[str]]
) -> None:
    """Tells the bot what a person's reactions were and are, where Telegram would.

    In groups that is where it is an administrator; in channels nobody learns whose they are.
    """
    kind = chat.chat["type"]
    if kind == "channel" or chat.bot_status != ("member" if kind == "private" else "administrator"):
        return
    before, after = ([{"type": "emoji", "emoji": each} for each in emoji] for emoji in change)
    payload = {
        "chat": chat.chat,
        "message_id": message_id,
        "user": user,
        "date": int(time.time()),
        "old_reaction": before,
        "new_reaction": after,
    }
    await push_update(tx, "message_reaction", payload)
