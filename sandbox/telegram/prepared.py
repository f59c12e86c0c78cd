"""Prepared messages: a Mini App has its user send one, in their own name, to a chat of theirs.

core.telegram.org/bots/api#savepreparedinlinemessage. It does not say for how long Telegram keeps
them; this sandbox does for an hour, in which one can be sent several times.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage.schema import Json, prepared_messages

KEPT_SECONDS: Final = 3600

PreparedRow: TypeAlias = Row[Any]
"""A row of the table `prepared_messages`."""

_KINDS = {"private": "bot", "group": "group", "supergroup": "group", "channel": "channel"}


def kind_of(chat: Json) -> str:
    """What `allow_..._chats` calls a chat; a private one here is always one with the bot."""
    return _KINDS[chat["type"]]


async def prepare(tx: AsyncConnection, user_id: int, content: Json, kinds: Sequence[str]) -> Json:
    """Keeps a message for a user; gives the `PreparedInlineMessage`."""
    table, now = prepared_messages, int(time.time())
    await tx.execute(delete(table).where(table.c.expires <= now))
    prepared: Json = {"id": secrets.token_urlsafe(12), "expiration_date": now + KEPT_SECONDS}
    row = {"id": prepared["id"], "user_id": user_id, "expires": prepared["expiration_date"]}
    await tx.execute(insert(table).values({**row, "content": content, "kinds": list(kinds)}))
    return prepared


async def find_prepared(tx: AsyncConnection, user_id: int, prepared_id: str) -> PreparedRow | None:
    """The message, if there is one for this user that has not expired."""
    table = prepared_messages
    query = select(table).where(
        table.c.id == prepared_id, table.c.user_id == user_id, table.c.expires > time.time()
    )
    return (await tx.execute(query)).one_or_none()
