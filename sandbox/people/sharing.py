"""What people do besides writing: find something to send in inline mode, and react."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from lookalike.waiting import any_of
from sandbox.people.lookups import known_message, known_user, send_via_bot, writable_chat
from sandbox.state import InSandbox, Sandbox
from sandbox.storage.schema import Json
from sandbox.telegram import inline, reactions
from sandbox.telegram.chats import find_chat, is_in

router = APIRouter(prefix="/sandbox")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class InlineMode(_Body):
    """What /setinline at @BotFather does."""

    enabled: bool


class Query(_Body):
    """What somebody writes after the bot's name.

    Attributes:
        user: who.
        chat: where; theirs with the bot need not be open yet.
        query: the words.
        offset: the `next_offset` of an earlier answer.
        wait: seconds to wait for the answer.
    """

    user: int
    chat: int
    query: Annotated[str, Field(max_length=inline.MAX_QUERY)]
    offset: Annotated[str, Field(max_length=64)] = ""
    wait: Annotated[float, Field(ge=0, le=60)] = 30.0


class Choice(_Body):
    """A result that somebody sends."""

    user: int
    chat: int
    result: str


class Reaction(_Body):
    """Somebody's reactions to a message, all of them."""

    user: int
    emoji: Annotated[list[str], Field(max_length=reactions.MOST_OF_A_PERSON)]


@router.put("/inline", status_code=204)
async def set_inline_mode(mode: InlineMode, sandbox: InSandbox) -> None:
    """Turns inline mode on or off."""
    async with sandbox.database.transaction() as tx:
        await inline.enable(tx, enabled=mode.enabled)


@router.post("/inline")
async def ask(query: Query, sandbox: InSandbox) -> Json:
    """Looks for something to send, and waits for what the bot offers."""
    async with sandbox.database.transaction() as tx:
        user = await known_user(tx, query.user)
        if not await inline.is_enabled(tx):
            raise HTTPException(409, "the bot has no inline mode")
        chat = await find_chat(tx, query.chat) if query.chat != query.user else None
        if chat is None and query.chat != query.user:
            raise HTTPException(404, f"there is no chat {query.chat}")
        kind = "sender" if chat is None else chat.chat["type"]
        query_id = await inline.ask(tx, user, query.query, query.offset, kind)
    return {"id": query_id, "answer": await _await_answer(sandbox, query_id, query.wait)}


@router.post("/inline/{query_id}/choose")
async def choose(query_id: str, choice: Choice, sandbox: InSandbox) -> Json:
    """Sends what the bot has offered, in one's own name."""
    async with sandbox.database.transaction() as tx:
        user = await known_user(tx, choice.user)
        asked = await inline.find_query(tx, query_id)
        offered = asked.answer["results"] if asked is not None and asked.answer else []
        contents = [each["content"] for each in offered if each["id"] == choice.result]
        if asked is None or asked.user_id != choice.user or not contents:
            raise HTTPException(409, "the bot has not offered that")
        chat = await writable_chat(tx, choice.chat, user)
        return await send_via_bot(tx, chat, user, contents[0], sandbox.bot)


@router.put("/chats/{chat_id}/messages/{message_id}/reaction", status_code=204)
async def react(chat_id: int, message_id: int, reaction: Reaction, sandbox: InSandbox) -> None:
    """Reacts to a message; without any emoji, no more."""
    if not reactions.EMOJI.issuperset(reaction.emoji):
        raise HTTPException(422, "nobody can react with that")
    async with sandbox.database.transaction() as tx:
        user = await known_user(tx, reaction.user)
        stored = await known_message(tx, chat_id, message_id)
        chat = await find_chat(tx, chat_id)
        if chat is None or reaction.user not in chat.members:
            raise HTTPException(409, "the user is not in this chat")
        before = await reactions.react(tx, stored, reaction.user, reaction.emoji)
        if is_in(chat) and before != reaction.emoji:
            await reactions.tell_bot(tx, chat, message_id, user, (before, reaction.emoji))


async def _await_answer(sandbox: Sandbox, query_id: str, seconds: float) -> Json | None:
    deadline = time.monotonic() + seconds
    while True:
        changed: asyncio.Event = sandbox.database.changes.next_change()
        async with sandbox.database.reading() as tx:
            asked = await inline.find_query(tx, query_id)
        answer: Json | None = asked.answer if asked is not None else None
        left = deadline - time.monotonic()
        if answer is not None or left <= 0 or sandbox.stop.is_set():
            return answer
        await any_of(changed, sandbox.stop, seconds=left)
