"""A real python-telegram-bot Application, polling, against the sandbox."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import Conflict
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)
from telegram.request import HTTPXRequest

from tests.sandbox.client import LOOPBACK, Answer, People, ShownMessage
from tests.sandbox.conftest import TOKEN, image, jpeg

App = Application[Any, Any, Any, Any, Any, Any]
Context = ContextTypes.DEFAULT_TYPE

PICTURE = image(64, 64, "purple", "PNG")


async def on_start(update: Update, _context: Context) -> None:
    assert update.message is not None
    await update.message.reply_text("hello")


async def on_photo(update: Update, context: Context) -> None:
    """Downloads, replies, edits and deletes a status, sends a picture: what Lookalike does."""
    message = update.message
    assert message is not None
    file = await context.bot.get_file(message.photo[-1].file_id)
    size = len(await file.download_as_bytearray())
    assert size == message.photo[-1].file_size
    status = await message.reply_text("0 %", do_quote=True)
    await status.edit_text("50 %")
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again")]])
    await message.reply_photo(PICTURE, caption="done", do_quote=True, reply_markup=keyboard)
    await status.delete()


async def on_button(update: Update, _context: Context) -> None:
    query = update.callback_query
    assert query is not None
    await query.answer("once more")
    await query.edit_message_caption("again")


def make_application(url: str) -> App:
    def request() -> HTTPXRequest:
        return HTTPXRequest(read_timeout=20, httpx_kwargs=LOOPBACK)

    application: App = (
        ApplicationBuilder()
        .token(TOKEN)
        .base_url(f"{url}/bot")
        .base_file_url(f"{url}/file/bot")
        .request(request())
        .get_updates_request(request())
        .build()
    )
    application.add_handler(CommandHandler("start", on_start))
    application.add_handler(MessageHandler(filters.PHOTO, on_photo))
    application.add_handler(CallbackQueryHandler(on_button))
    return application


@pytest.fixture
async def application(url: str) -> AsyncIterator[App]:
    application = make_application(url)
    async with application:
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling(timeout=10)
        yield application
        await application.updater.stop()
        await application.stop()


def from_bot(messages: list[ShownMessage]) -> list[ShownMessage]:
    return [message for message in messages if message.from_bot]


@pytest.mark.usefixtures("application")
async def test_a_conversation(people: People) -> None:
    user = await people.add_user()
    await people.send_text(user, "/start")
    (hello,) = await people.wait_for(user, from_bot)
    assert hello.text == "hello"

    photo = await people.send_photo(user, jpeg())

    def delivered(messages: list[ShownMessage]) -> ShownMessage | None:
        last = messages[-1]
        return last if last.from_bot and last.photo and len(messages) == 4 else None

    picture = await people.wait_for(user, delivered)
    assert picture.reply_to == photo.id
    assert picture.photo is not None
    assert await people.original(picture.photo) == PICTURE
    edits = [e["data"]["message"]["text"] for e in await people.events(0, kinds=["edit"])]
    assert edits == ["50 %"]

    assert await people.press(picture, "Again") == Answer("once more", show_alert=False)
    await people.wait_for(user, lambda messages: messages[-1].caption == "again")
    assert (await people.bot())["unknown_methods"] == []


@pytest.mark.usefixtures("application")
async def test_an_album_in_a_group_is_answered_photo_by_photo(people: People) -> None:
    users = [await people.add_user(), await people.add_user("Ben")]
    group = await people.add_group(users)
    album = await people.send_album(group, [jpeg(), jpeg(colour="blue")], user=users[1])

    def answers(messages: list[ShownMessage]) -> set[int | None] | None:
        replied = {message.reply_to for message in from_bot(messages) if message.photo}
        return replied if len(replied) == 2 else None

    assert await people.wait_for(group, answers) == {message.id for message in album}


@pytest.mark.long
@pytest.mark.slow
async def test_two_applications_conflict(application: App, url: str, people: People) -> None:
    assert application.updater is not None
    conflicts: asyncio.Queue[Exception] = asyncio.Queue()
    second = make_application(url)
    async with second:
        assert second.updater is not None
        await second.updater.start_polling(timeout=10, error_callback=conflicts.put_nowait)
        conflict = await asyncio.wait_for(conflicts.get(), 30)
        assert isinstance(conflict, Conflict)
        await second.updater.stop()
    refused = [call for call in await people.calls("getUpdates") if call.status == 409]
    assert refused
