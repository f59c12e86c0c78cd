"""What a person waits for, and the bot answers once: a pressed button, words for inline mode."""

import time
from typing import Any, Final

from sqlalchemy import Row, Table, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage.schema import Json
from sandbox.telegram.refusals import bad_request

ANSWER_SECONDS: Final = 30.0
"""How long a query can be answered; Telegram gives no number, and clients wait about this long."""


async def store_answer(tx: AsyncConnection, table: Table, query_id: str, answer: Json) -> Row[Any]:
    """Stores the bot's answer in the query's row, which it gives; a query takes only one.

    Raises:
        Refusal: there is no such query, or it is too old, or was answered.
    """
    result = await tx.execute(
        update(table)
        .where(
            table.c.id == query_id,
            table.c.answer.is_(None),
            table.c.time > time.time() - ANSWER_SECONDS,
        )
        .values(answer=answer)
        .returning(table)
    )
    row: Row[Any] | None = result.one_or_none()
    if row is None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    return row
