"""Messages: what is in a chat now.

A message is stored as the Bot API's `Message`. Ids follow Telegram: one counter for the bot's
private chats and basic groups together, one for each supergroup and channel; no id is used twice.
"""

import time
from typing import Any, TypeAlias

from sqlalchemy import Row, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage.events import record_event
from sandbox.storage.schema import Json, client_markups, messages, reactions
from sandbox.storage.values import next_number
from sandbox.telegram.chats import ChatRow

MessageRow: TypeAlias = Row[Any]
"""A row of the table `messages`."""

TEXT = ("text", "entities")
CAPTION = ("caption", "caption_entities")
CONTENT = (*TEXT, "photo", "document", *CAPTION)
"""The fields of a `Message` that are what it says."""


async def add_message(
    tx: AsyncConnection,
    chat: ChatRow,
    sender: Json,
    content: Json,
    reply_to: MessageRow | None = None,
    client_markup: Json | None = None,
) -> Json:
    """Adds a message and gives it as a `Message`.

    Args:
        tx: the open transaction.
        chat: where.
        sender: the `User` who sends it; a channel does not say.
        content: the other fields: text, photo, reply_markup and so on.
        reply_to: the message that it answers.
        client_markup: what it does to where people write (`keyboards.Markup`).
    """
    in_channel = chat.chat["type"] == "channel"
    own_ids = in_channel or chat.chat["type"] == "supergroup"
    message_id = await next_number(tx, f"message:{chat.id}" if own_ids else "message")
    message: Json = {
        "message_id": message_id,
        **({"sender_chat": chat.chat} if in_channel else {"from": sender}),
        "chat": chat.chat,
        "date": int(time.time()),
    }
    if reply_to is not None:
        quoted = {k: v for k, v in reply_to.message.items() if k != "reply_to_message"}
        message["reply_to_message"] = quoted
    message |= content
    await tx.execute(
        insert(messages).values(chat_id=chat.id, message_id=message_id, message=message)
    )
    if client_markup is not None:
        row = {"chat_id": chat.id, "message_id": message_id, "markup": client_markup}
        await tx.execute(insert(client_markups).values(row))
    shown = _shown(message, 0, client_markup)
    await record_event(tx, "message", {"chat_id": chat.id, "message": shown})
    return message


def _shown(message: Json, edits: int, client_markup: Json | None) -> Json:
    """A message as the people's side has it."""
    of_the_client = {} if client_markup is None else {"client_markup": client_markup}
    return {**message, "edits": edits, **of_the_client}


def is_from(stored: MessageRow, user_id: int) -> bool:
    """Whether it is somebody's own; a channel's posts are those of all who administer it."""
    sender = stored.message.get("from")
    return sender is None or sender["id"] == user_id


async def has_client_markup(tx: AsyncConnection, stored: MessageRow) -> bool:
    """Whether it came with a keyboard or a forced reply."""
    query = select(client_markups).where(
        client_markups.c.chat_id == stored.chat_id,
        client_markups.c.message_id == stored.message_id,
    )
    return (await tx.execute(query)).one_or_none() is not None


def topic(thread: int) -> Json:
    """The fields of a message in a forum's topic."""
    return {"message_thread_id": thread, "is_topic_message": True}


async def new_media_group(tx: AsyncConnection) -> str:
    """An id for an album."""
    return str(13_000_000_000_000_000 + await next_number(tx, "media_group"))


async def find_message(tx: AsyncConnection, chat_id: int, message_id: int) -> MessageRow | None:
    """The message, if it is there and not deleted."""
    if abs(message_id) >= 2**63:
        return None
    query = select(messages).where(
        messages.c.chat_id == chat_id,
        messages.c.message_id == message_id,
        messages.c.deleted.is_(False),
    )
    return (await tx.execute(query)).one_or_none()


async def edit_message(tx: AsyncConnection, stored: MessageRow, changed: Json) -> Json:
    """Replaces a message with `changed`, a whole `Message`; gives it with the date of the edit."""
    message = {**changed, "edit_date": int(time.time())}
    edits = stored.edits + 1
    await tx.execute(update(messages).where(*_key(stored)).values(message=message, edits=edits))
    data = {"chat_id": stored.chat_id, "message": {**message, "edits": edits}}
    await record_event(tx, "edit", data)
    return message


async def delete_message(tx: AsyncConnection, stored: MessageRow) -> None:
    """Deletes a message from its chat."""
    await tx.execute(update(messages).where(*_key(stored)).values(deleted=True))
    await record_event(tx, "delete", {"chat_id": stored.chat_id, "message_id": stored.message_id})


async def age_message(tx: AsyncConnection, stored: MessageRow, seconds: int) -> None:
    """Makes a message older than it is."""
    message = {**stored.message, "date": stored.message["date"] - seconds}
    await tx.execute(update(messages).where(*_key(stored)).values(message=message))


def _key(stored: MessageRow) -> tuple[Any, Any]:
    return messages.c.chat_id == stored.chat_id, messages.c.message_id == stored.message_id


async def shown_messages(
    tx: AsyncConnection, chat_id: int, between: tuple[int, int], limit: int
) -> list[Json]:
    """The chat as a client shows it: each `Message` as it is now, and what only people see.

    That is `edits`, how often it was edited, `client_markup` where it came with one, and
    `reactions` where there are any.

    Args:
        tx: the open transaction.
        chat_id: which chat.
        between: only messages with a greater id than the first and a smaller one than the second.
        limit: at most this many, the newest; oldest first.
    """
    query = (
        select(messages, client_markups.c.markup)
        .outerjoin(
            client_markups,
            and_(
                client_markups.c.chat_id == messages.c.chat_id,
                client_markups.c.message_id == messages.c.message_id,
            ),
        )
        .where(
            messages.c.chat_id == chat_id,
            messages.c.message_id > between[0],
            messages.c.message_id < between[1],
            messages.c.deleted.is_(False),
        )
        .order_by(messages.c.message_id.desc())
        .limit(limit)
    )
    rows = list(await tx.execute(query))[::-1]
    if not rows:
        return []
    found = await reactions_to(tx, chat_id, (rows[0].message_id - 1, rows[-1].message_id + 1))
    reacted = {each: {"reactions": of_it} for each, of_it in found.items()}
    return [
        _shown(row.message, row.edits, row.markup) | reacted.get(row.message_id, {}) for row in rows
    ]


async def reactions_to(
    tx: AsyncConnection, chat_id: int, between: tuple[int, int]
) -> dict[int, list[Json]]:
    """Who has reacted to a chat's messages, each as {user, emoji}, by the messages' ids."""
    table = reactions
    query = select(table).where(
        table.c.chat_id == chat_id,
        table.c.message_id > between[0],
        table.c.message_id < between[1],
    )
    found: dict[int, list[Json]] = {}
    for row in await tx.execute(query.order_by(table.c.user_id)):
        reaction = {"user": row.user_id, "emoji": row.emoji}
        found.setdefault(row.message_id, []).append(reaction)
    return found
