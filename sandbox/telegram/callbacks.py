"""Callback queries: an inline button pressed, and the bot's answer."""

import time

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage.events import record_event
from sandbox.storage.schema import Json, callbacks
from sandbox.storage.values import next_number
from sandbox.telegram.answering import store_answer
from sandbox.telegram.messages import MessageRow
from sandbox.telegram.updates import push_update


async def press_button(tx: AsyncConnection, stored: MessageRow, user: Json, data: str) -> str:
    """Lets a user press the button with this data; gives the query's id."""
    query_id = str(4_000_000_000_000_000 + await next_number(tx, "callback"))
    await tx.execute(
        insert(callbacks).values(id=query_id, time=time.time(), chat_id=stored.chat_id, answer=None)
    )
    query = {
        "id": query_id,
        "from": user,
        "message": stored.message,
        "chat_instance": str(stored.chat_id),
        "data": data,
    }
    await push_update(tx, "callback_query", query)
    return query_id


async def answer_callback(tx: AsyncConnection, query_id: str, answer: Json) -> None:
    """Stores the bot's answer; a query takes only one.

    Raises:
        Refusal: there is no such query, or it is too old, or was answered.
    """
    row = await store_answer(tx, callbacks, query_id, answer)
    data = {"chat_id": row.chat_id, "callback_query_id": query_id, "answer": answer}
    await record_event(tx, "answer", data)


async def find_answer(tx: AsyncConnection, query_id: str) -> Json | None:
    """The bot's answer, once there is one."""
    query = select(callbacks.c.answer).where(callbacks.c.id == query_id)
    return (await tx.execute(query)).scalar()
