"""Inline mode: what a person writes after the bot's name, and what the bot offers to send.

Telegram keeps answers for `cache_time`; here each query reaches the bot.
"""

import time
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage.schema import Json, inline_queries
from sandbox.storage.values import get_option, next_number, set_option
from sandbox.telegram.answering import store_answer
from sandbox.telegram.updates import push_update

MAX_QUERY: Final = 256
"""Characters (core.telegram.org/bots/api#inlinequery)."""

QueryRow: TypeAlias = Row[Any]
"""A row of the table `inline_queries`."""

_ENABLED = "inline_mode"


async def is_enabled(tx: AsyncConnection) -> bool:
    """Whether the bot has inline mode, as @BotFather gives it with /setinline."""
    return bool(await get_option(tx, _ENABLED))


async def enable(tx: AsyncConnection, *, enabled: bool) -> None:
    """Turns inline mode on or off."""
    await set_option(tx, _ENABLED, enabled or None)


async def ask(tx: AsyncConnection, user: Json, query: str, offset: str, chat_type: str) -> str:
    """Has a person look for something to send; gives the query's id."""
    query_id = str(5_000_000_000_000_000 + await next_number(tx, "inline_query"))
    row = {"id": query_id, "time": time.time(), "user_id": user["id"], "answer": None}
    await tx.execute(insert(inline_queries).values(row))
    asked = {"id": query_id, "from": user, "query": query, "offset": offset}
    asked["chat_type"] = chat_type
    await push_update(tx, "inline_query", asked)
    return query_id


async def answer(tx: AsyncConnection, query_id: str, given: Json) -> None:
    """Stores the bot's answer; a query takes only one.

    Raises:
        Refusal: there is no such query, or it is too old, or was answered.
    """
    await store_answer(tx, inline_queries, query_id, given)


async def find_query(tx: AsyncConnection, query_id: str) -> QueryRow | None:
    """The query, with the bot's answer once there is one."""
    return (
        await tx.execute(select(inline_queries).where(inline_queries.c.id == query_id))
    ).one_or_none()
