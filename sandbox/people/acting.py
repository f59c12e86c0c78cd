"""What people do: write, send photos, press buttons, block the bot."""

import asyncio
import time
from typing import Annotated, Any, Final, Literal, Self

from fastapi import APIRouter, Body, File, Form, HTTPException, UploadFile
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from lookalike.waiting import any_of
from sandbox.people.lookups import (
    MAX_ID,
    known_chat,
    known_message,
    known_user,
    tell_bot,
    writable_chat,
)
from sandbox.state import InSandbox, Sandbox
from sandbox.storage.schema import Json
from sandbox.telegram.callbacks import find_answer, press_button
from sandbox.telegram.chats import (
    ChatRow,
    add_group,
    add_user,
    describe,
    migrate_group,
    set_bot_status,
)
from sandbox.telegram.files import (
    PreparedFile,
    add_file,
    prepare_document,
    prepare_photo,
    read_upload,
)
from sandbox.telegram.formatting import MAX_CAPTION, MAX_TEXT, Formatted, typed
from sandbox.telegram.keyboards import callback_data
from sandbox.telegram.messages import (
    add_message,
    age_message,
    delete_message,
    edit_message,
    is_from,
    new_media_group,
    topic,
)
from sandbox.telegram.refusals import Refusal
from sandbox.telegram.updates import RAW, push_update

router = APIRouter(prefix="/sandbox")

_GROUP_ANONYMOUS_BOT: Final = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
"""Who all anonymous administrators of all groups are (core.telegram.org/bots/api#message)."""


_IMPOSSIBLE: Final = {"private": "administrator", "channel": "member"}
"""What a bot cannot be, by the kind of the chat."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewUser(_Body):
    """A user to add."""

    first_name: Annotated[str, Field(min_length=1, max_length=64)]
    last_name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    username: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{3,31}$")] | None = None
    id: Annotated[int, Field(ge=1, le=MAX_ID)] | None = None
    language_code: Annotated[str, Field(min_length=2, max_length=10)] | None = None


class NewGroup(_Body):
    """A group or channel to add, with the bot in it."""

    type: Literal["group", "supergroup", "channel"]
    title: Annotated[str, Field(min_length=1, max_length=128)]
    members: Annotated[list[int], Field(min_length=1, max_length=1000)]
    is_forum: Literal[True] | None = None

    @model_validator(mode="after")
    def _check_forum(self) -> Self:
        if self.is_forum and self.type != "supergroup":
            raise ValueError("only a supergroup has topics")
        return self


class Edit(_Body):
    """A message's new text, or caption."""

    user: int
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class Press(_Body):
    """A button pressed.

    Attributes:
        user: who presses it.
        data: the button's `callback_data`.
        wait: seconds to wait for the answer.
    """

    user: int
    data: Annotated[str, Field(min_length=1, max_length=64)]
    wait: Annotated[float, Field(ge=0, le=60)] = 30.0


class Age(_Body):
    """How much older a message becomes."""

    hours: Annotated[int, Field(ge=1, le=100_000)]


class BotStatus(_Body):
    """What the bot is to a chat; kicked from a private chat is blocked."""

    status: Literal["member", "administrator", "left", "kicked"]


@router.post("/users")
async def create_user(user: NewUser, sandbox: InSandbox) -> Json:
    """Adds a user, or renames one."""
    async with sandbox.database.transaction() as tx:
        return await add_user(tx, {"is_bot": False, **user.model_dump(exclude_none=True)})


@router.post("/chats")
async def create_group(group: NewGroup, sandbox: InSandbox) -> Json:
    """Adds a group, supergroup or channel."""
    async with sandbox.database.transaction() as tx:
        for member in group.members:
            await known_user(tx, member)
        described = group.model_dump(exclude_none=True, exclude={"members"})
        chat = await add_group(tx, described, group.members, sandbox.bot)
        return describe(chat)


@router.post("/chats/{chat_id}/messages")
async def send(  # noqa: PLR0913, PLR0917, the fields of the form
    chat_id: int,
    sandbox: InSandbox,
    user: Annotated[int, Form()],
    text: Annotated[str, Form(max_length=MAX_TEXT)] = "",
    caption: Annotated[str, Form(max_length=MAX_CAPTION)] = "",
    reply_to: Annotated[int | None, Form()] = None,
    photo: Annotated[list[UploadFile] | None, File(max_length=10)] = None,
    document: Annotated[UploadFile | None, File()] = None,
    thread: Annotated[int | None, Form(ge=1)] = None,
    anonymous: Annotated[bool, Form()] = False,  # noqa: FBT002, a field of the form
) -> list[Json]:
    """Sends a text, a photo, an album or a document."""
    photos = photo or []
    if sum(map(bool, (text, photos, document))) != 1 or (text and caption):
        raise HTTPException(422, "send one of text, photo and document; a text has no caption")
    files = await _prepare(sandbox, photos, document)
    contents: list[Json]
    if text:
        contents = [_read(text).fields("text", "entities")]
    else:
        contents = [{} for _ in files]
        contents[0] = _read(caption).fields("caption", "caption_entities")
    async with sandbox.database.transaction() as tx:
        sender = await known_user(tx, user)
        chat = await writable_chat(tx, chat_id, sender)
        reply = None if reply_to is None else await known_message(tx, chat_id, reply_to)
        if anonymous:
            sender, contents = _hide(chat, sender, contents)
        if thread is not None:
            if "is_forum" not in chat.chat:
                raise HTTPException(409, "this chat has no topics")
            contents = [{**content, **topic(thread)} for content in contents]
        if len(files) > 1:
            group = await new_media_group(tx)
            contents = [{**content, "media_group_id": group} for content in contents]
        for content, file in zip(contents, files, strict=False):  # a text has no file
            content |= await add_file(tx, file)  # noqa: PLW2901, it is the one in the list
        sent = [await add_message(tx, chat, sender, content, reply) for content in contents]
        for message in sent:
            await tell_bot(tx, chat, "message", message)
        return sent


def _hide(chat: ChatRow, sender: Json, contents: list[Json]) -> tuple[Json, list[Json]]:
    """An administrator who writes in the group's name."""
    if chat.chat["type"] == "private" or sender["id"] != chat.members[0]:
        raise HTTPException(409, "only a group's administrator can be anonymous")
    return _GROUP_ANONYMOUS_BOT, [{**each, "sender_chat": chat.chat} for each in contents]


@router.post("/updates", status_code=204)
async def send_updates(
    updates: Annotated[list[Json], Body(max_length=1000)], sandbox: InSandbox
) -> None:
    """Queues updates as they are given."""
    async with sandbox.database.transaction() as tx:
        for update in updates:
            await push_update(tx, RAW, update)


def _read(text: str) -> Formatted:
    """What a person wrote; a form sends line breaks as CRLF (WHATWG HTML)."""
    return typed(text.replace("\r\n", "\n"))


async def _prepare(
    sandbox: Sandbox, photos: list[UploadFile], document: UploadFile | None
) -> list[PreparedFile]:
    folder = sandbox.database.files_folder
    try:
        if document is not None:
            upload = await read_upload(document)
            return [await prepare_document(folder, sandbox.decoder, upload)]
        return [await prepare_photo(folder, await read_upload(photo)) for photo in photos]
    except Refusal as refusal:
        raise HTTPException(refusal.status, refusal.description) from None


@router.patch("/chats/{chat_id}/messages/{message_id}")
async def edit(chat_id: int, message_id: int, change: Edit, sandbox: InSandbox) -> Json:
    """Edits one's own message."""
    async with sandbox.database.transaction() as tx:
        stored = await _own_message(tx, chat_id, message_id, change.user)
        if "text" in stored.message:
            fields, (name, entities) = {"text", "entities"}, ("text", "entities")
        else:
            fields, (name, entities) = (
                {"caption", "caption_entities"},
                ("caption", "caption_entities"),
            )
        kept = {key: value for key, value in stored.message.items() if key not in fields}
        edited = kept | typed(change.text).fields(name, entities)
        message = await edit_message(tx, stored, edited)
        await tell_bot(tx, await known_chat(tx, chat_id), "edited_message", message)
        return message


@router.delete("/chats/{chat_id}/messages/{message_id}", status_code=204)
async def delete(chat_id: int, message_id: int, sandbox: InSandbox) -> None:
    """Deletes a message for everyone."""
    async with sandbox.database.transaction() as tx:
        await delete_message(tx, await known_message(tx, chat_id, message_id))


@router.post("/chats/{chat_id}/messages/{message_id}/age", status_code=204)
async def age(chat_id: int, message_id: int, change: Age, sandbox: InSandbox) -> None:
    """Lets a message be as old as if it had been sent so much earlier."""
    async with sandbox.database.transaction() as tx:
        await age_message(tx, await known_message(tx, chat_id, message_id), change.hours * 3600)


@router.post("/chats/{chat_id}/messages/{message_id}/press")
async def press(chat_id: int, message_id: int, button: Press, sandbox: InSandbox) -> Json:
    """Presses an inline button and waits for the bot's answer."""
    async with sandbox.database.transaction() as tx:
        user = await known_user(tx, button.user)
        stored = await known_message(tx, chat_id, message_id)
        if button.user not in (await known_chat(tx, chat_id)).members:
            raise HTTPException(409, "the user is not in this chat")
        if button.data not in callback_data(stored.message.get("reply_markup")):
            raise HTTPException(409, "the message has no such button")
        query_id = await press_button(tx, stored, user, button.data)
    return {"id": query_id, "answer": await _await_answer(sandbox, query_id, button.wait)}


async def _await_answer(sandbox: Sandbox, query_id: str, seconds: float) -> Json | None:
    deadline = time.monotonic() + seconds
    while True:
        changed: asyncio.Event = sandbox.database.changes.next_change()
        async with sandbox.database.reading() as tx:
            answer = await find_answer(tx, query_id)
        left = deadline - time.monotonic()
        if answer is not None or left <= 0 or sandbox.stop.is_set():
            return answer
        await any_of(changed, sandbox.stop, seconds=left)


@router.put("/chats/{chat_id}/bot")
async def change_bot_status(chat_id: int, change: BotStatus, sandbox: InSandbox) -> Json:
    """Blocks, unblocks, removes or takes back the bot."""
    async with sandbox.database.transaction() as tx:
        chat = await known_chat(tx, chat_id)
        if change.status == "left" and chat.chat["type"] == "private":
            raise HTTPException(409, "nobody leaves a private chat; use kicked to block the bot")
        if change.status == _IMPOSSIBLE.get(chat.chat["type"]):
            raise HTTPException(409, f"the bot cannot be that in a {chat.chat['type']} chat")
        await set_bot_status(tx, chat, change.status, sandbox.bot)
        return describe(await known_chat(tx, chat_id))


@router.post("/chats/{chat_id}/migrate")
async def migrate(chat_id: int, sandbox: InSandbox) -> Json:
    """Turns a group into a supergroup; service messages in both tell the bot."""
    async with sandbox.database.transaction() as tx:
        old = await known_chat(tx, chat_id)
        if old.chat["type"] != "group" or old.migrated_to is not None:
            raise HTTPException(409, "only a group that is not a supergroup yet can become one")
        owner = await known_user(tx, old.members[0])
        new = await migrate_group(tx, old)
        for chat, note in (
            (old, {"migrate_to_chat_id": new.id}),
            (new, {"migrate_from_chat_id": old.id}),
        ):
            await tell_bot(tx, chat, "message", await add_message(tx, chat, owner, note))
        return describe(new)


async def _own_message(tx: AsyncConnection, chat_id: int, message_id: int, user_id: int) -> Any:
    stored = await known_message(tx, chat_id, message_id)
    chat = await known_chat(tx, chat_id)
    writes_there = chat.chat["type"] != "channel" or user_id == chat.members[0]
    if not (is_from(stored, user_id) and writes_there):
        raise HTTPException(409, "the message is somebody else's")
    return stored
