"""Whom and what people's requests name, and where they may write."""

from typing import Final

from fastapi import HTTPException
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage.schema import Json
from sandbox.telegram.account import BotAccount
from sandbox.telegram.chats import ChatRow, find_chat, find_user, is_in, open_private_chat
from sandbox.telegram.messages import MessageRow, add_message, find_message
from sandbox.telegram.profile import bot_user
from sandbox.telegram.updates import push_update

MAX_ID: Final = 2**53 - 1
"""What Telegram promises its ids to fit in."""

_OF_CHANNELS: Final = {"message": "channel_post", "edited_message": "edited_channel_post"}


async def known_user(tx: AsyncConnection, user_id: int) -> Json:
    """The `User`, or 404."""
    user = await find_user(tx, user_id) if abs(user_id) <= MAX_ID else None
    if user is None:
        raise HTTPException(404, f"there is no user {user_id}")
    return user


async def known_chat(tx: AsyncConnection, chat_id: int) -> ChatRow:
    """The chat, or 404."""
    chat = await find_chat(tx, chat_id) if abs(chat_id) <= MAX_ID else None
    if chat is None:
        raise HTTPException(404, f"there is no chat {chat_id}")
    return chat


async def known_message(tx: AsyncConnection, chat_id: int, message_id: int) -> MessageRow:
    """The message, or 404."""
    await known_chat(tx, chat_id)
    stored = await find_message(tx, chat_id, message_id)
    if stored is None:
        raise HTTPException(404, f"there is no message {message_id} in this chat")
    return stored


async def writable_chat(tx: AsyncConnection, chat_id: int, sender: Json) -> ChatRow:
    """The chat that a message goes to; a user's first one opens the private chat."""
    private = chat_id == sender["id"]
    chat = await open_private_chat(tx, sender) if private else await known_chat(tx, chat_id)
    if sender["id"] not in chat.members:
        raise HTTPException(409, "the user is not in this chat")
    if chat.migrated_to is not None:
        raise HTTPException(409, f"the group is now the supergroup {chat.migrated_to}")
    if chat.chat["type"] == "channel" and sender["id"] != chat.members[0]:
        raise HTTPException(409, "only its administrator posts in a channel")
    if private and chat.bot_status != "member":
        raise HTTPException(409, "the user has blocked the bot")
    return chat


async def send_via_bot(
    tx: AsyncConnection, chat: ChatRow, sender: Json, content: Json, bot: BotAccount
) -> Json:
    """Sends what the bot has offered, in the sender's own name; gives the `Message`."""
    whole = {**content, "via_bot": await bot_user(tx, bot)}
    message = await add_message(tx, chat, sender, whole)
    await tell_bot(tx, chat, "message", message)
    return message


async def tell_bot(tx: AsyncConnection, chat: ChatRow, kind: str, message: Json) -> None:
    """Gives the bot an update, a channel's by another name, if it is in the chat."""
    if is_in(chat):
        in_channel = chat.chat["type"] == "channel"
        await push_update(tx, _OF_CHANNELS[kind] if in_channel else kind, message)
