"""What is said to Telegram, and read from it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import BinaryIO, TypeAlias

from telegram import (
    Bot,
    ForceReply,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
    MessageEntity,
    ReplyParameters,
)

from bot.fetching import fetch
from bot.pace import EditPace
from bot.placeholder import nothing
from bot.refusals import (
    CannotDeliver,
    Moved,
    NotTaken,
    SourceGone,
    TelegramUnavailable,
    WrongFile,
    translated,
)

_UPLOAD_SECONDS = 60.0
_UNCHANGED = "message is not modified"
_NO_TEXT = "no text in the message"
_NO_SOURCE = "message to copy not found"


Preview: TypeAlias = Callable[[], Awaitable[bytes | None]]
"""Gives the picture of a message, if there is one now."""


def _reply_to(message_id: int | None) -> ReplyParameters | None:
    if message_id is None:
        return None
    return ReplyParameters(message_id, allow_sending_without_reply=True)


class Messenger:
    """What the bot does in a chat. Raises TelegramUnavailable, CannotDeliver and Moved only."""

    def __init__(self, bot: Bot, pace: EditPace) -> None:
        """Edits go out at this pace; sends always do."""
        self._bot = bot
        self._pace = pace

    async def reply(
        self,
        chat_id: int,
        reply_to: int | None,
        text: str,
        buttons: InlineKeyboardMarkup | ForceReply | None = None,
        *,
        thread_id: int | None = None,
        silent: bool = False,
        entities: Sequence[MessageEntity] = (),
    ) -> Message:
        """Sends a text in reply to a message, which may be gone, or to none; in its topic."""
        async with self._sending(chat_id):
            return await self._bot.send_message(
                chat_id,
                text,
                message_thread_id=thread_id,
                reply_parameters=_reply_to(reply_to),
                reply_markup=buttons,
                disable_notification=silent,
                entities=entities,
            )

    async def reply_if_there(
        self,
        chat_id: int,
        reply_to: int,
        text: str,
        buttons: InlineKeyboardMarkup | None = None,
        *,
        thread_id: int | None = None,
    ) -> Message | None:
        """Sends a text in reply to a message, without a sound; None: there is no such message.

        The answer holds the message that it replies to, which is the only way in which Telegram
        lets a bot read one.
        """
        try:
            async with self._sending(chat_id):
                return await self._bot.send_message(
                    chat_id,
                    text,
                    message_thread_id=thread_id,
                    reply_parameters=ReplyParameters(reply_to, allow_sending_without_reply=False),
                    reply_markup=buttons,
                    disable_notification=True,
                )
        except NotTaken:
            return None

    async def copy(
        self, chat_id: int, source: tuple[int, int], buttons: InlineKeyboardMarkup
    ) -> int:
        """Sends a message of another chat (its chat and its id) as ours; gives the new one's id.

        Raises:
            SourceGone: there is no such message any more.
        """
        try:
            async with self._sending(chat_id):
                copied = await self._bot.copy_message(chat_id, *source, reply_markup=buttons)
        except NotTaken as error:
            if _NO_SOURCE in str(error).lower():
                raise SourceGone(str(error)) from None
            raise
        return copied.message_id

    @property
    def has_inline_mode(self) -> bool:
        """Whether @BotFather has turned inline mode on for the bot, as Telegram said at start."""
        return bool(self._bot.bot.supports_inline_queries)

    async def react(self, chat_id: int, message_id: int, emoji: str) -> None:
        """Reacts to a message, if the pace allows it now.

        Where that is forbidden, or fails, nobody misses it; nor is it worth a place in the queue of
        a busy group, for which whoever asked would have to wait.
        """
        if not await self._pace.may_edit(chat_id):
            return
        with suppress(CannotDeliver, Moved, TelegramUnavailable):
            async with translated():
                await self._bot.set_message_reaction(chat_id, message_id, emoji)

    async def keep_pace(self, chat_id: int) -> None:
        """Waits until a message that is not urgent may go out in this chat."""
        await self._pace.wait(chat_id)

    async def reply_photo(
        self,
        chat_id: int,
        reply_to: int | None,
        photo: bytes | str,
        caption: str,
        buttons: InlineKeyboardMarkup | None = None,
        *,
        thread_id: int | None = None,
    ) -> Message:
        """Sends a picture (bytes, or Telegram's file_id) in reply to a message, or to none.

        Raises:
            WrongFile: the file_id is not taken any more.
        """
        upload = photo if isinstance(photo, str) else InputFile(photo, "picture.png")
        async with self._sending(chat_id):
            return await self._bot.send_photo(
                chat_id,
                upload,
                caption=caption,
                reply_markup=buttons,
                message_thread_id=thread_id,
                reply_parameters=_reply_to(reply_to),
                read_timeout=_UPLOAD_SECONDS,
                write_timeout=_UPLOAD_SECONDS,
            )

    async def reply_album(
        self,
        chat_id: int,
        reply_to: int,
        pngs: Sequence[bytes],
        caption: str,
        *,
        thread_id: int | None = None,
    ) -> Sequence[Message]:
        """Sends two to ten pictures as an album, with a caption under all of them."""
        media = [InputMediaPhoto(png, filename="picture.png") for png in pngs]
        async with self._sending(chat_id):
            return await self._bot.send_media_group(
                chat_id,
                media,
                caption=caption,
                message_thread_id=thread_id,
                reply_parameters=_reply_to(reply_to),
                read_timeout=_UPLOAD_SECONDS,
                write_timeout=_UPLOAD_SECONDS,
            )

    async def reply_document(
        self,
        chat_id: int,
        reply_to: int,
        png: bytes,
        *,
        thread_id: int | None = None,
    ) -> Message:
        """Sends a picture as a file, whose bytes Telegram leaves as they are."""
        async with self._sending(chat_id):
            return await self._bot.send_document(
                chat_id,
                InputFile(png, "picture.png"),
                disable_content_type_detection=True,
                message_thread_id=thread_id,
                reply_parameters=_reply_to(reply_to),
                read_timeout=_UPLOAD_SECONDS,
                write_timeout=_UPLOAD_SECONDS,
            )

    async def replace_picture(
        self,
        chat_id: int,
        message_id: int,
        photo: bytes | str,
        caption: str,
        buttons: InlineKeyboardMarkup | None = None,
    ) -> None:
        """Puts a picture (bytes, or Telegram's file_id) in the place of what a message shows.

        Raises:
            WrongFile: the file_id is not taken any more.
            CannotDeliver: the message is gone, or cannot be edited.
        """
        async with _editing():
            await self._bot.edit_message_media(
                InputMediaPhoto(photo, caption=caption),
                chat_id,
                message_id,
                reply_markup=buttons,
                read_timeout=_UPLOAD_SECONDS,
                write_timeout=_UPLOAD_SECONDS,
            )

    async def replace_with_file(
        self, chat_id: int, message_id: int, file: BinaryIO, name: str, caption: str
    ) -> None:
        """Puts a file, which is read as it is sent, in the place of what a message shows.

        Raises:
            NotTaken: the message is gone, or cannot be edited.
        """
        upload = InputFile(file, name, attach=True, read_file_handle=False)
        async with _editing():
            await self._bot.edit_message_media(
                InputMediaDocument(upload, caption=caption),
                chat_id,
                message_id,
                read_timeout=_UPLOAD_SECONDS,
                write_timeout=_UPLOAD_SECONDS,
            )

    async def show_buttons(
        self, chat_id: int, message_id: int, buttons: InlineKeyboardMarkup
    ) -> None:
        """Puts other buttons under a message.

        Raises:
            CannotDeliver: the message is gone.
        """
        async with _editing():
            await self._bot.edit_message_reply_markup(chat_id, message_id, reply_markup=buttons)

    async def rewrite(
        self,
        chat_id: int,
        message_id: int,
        text: str,
        buttons: InlineKeyboardMarkup | None = None,
    ) -> None:
        """Has a message of ours say something else, under its picture if it has one.

        Raises:
            CannotDeliver: the message is gone.
        """
        try:
            await self.rewrite_text(chat_id, message_id, text, buttons)
        except NotTaken as error:
            if _NO_TEXT not in str(error).lower():
                raise
            async with _editing():
                await self._bot.edit_message_caption(
                    chat_id, message_id, caption=text, reply_markup=buttons
                )

    async def rewrite_text(
        self,
        chat_id: int,
        message_id: int,
        text: str,
        buttons: InlineKeyboardMarkup | None = None,
    ) -> None:
        """Has a text message of ours say something else.

        Raises:
            NotTaken: the message is gone, or has become a picture.
        """
        async with _editing():
            await self._bot.edit_message_text(text, chat_id, message_id, reply_markup=buttons)

    async def edit(
        self,
        chat_id: int,
        message_id: int,
        text: str,
        buttons: InlineKeyboardMarkup,
        *,
        preview: Preview | None = None,
        waiting_since: float = 0.0,
    ) -> bool:
        """Has a message say something else, if the pace allows it now.

        Args:
            chat_id: where the message is.
            message_id: which one it is.
            text: what it says from now on.
            buttons: what stands under it.
            preview: gives a picture that it shows from now on, or None; asked if the pace allows.
            waiting_since: when it was sent or last edited; of several in a chat, the one that has
                waited longest goes first.

        Returns:
            False if the edit was dropped; the caller may come again with a later text.

        Raises:
            CannotDeliver: the message is gone.
        """
        if not await self._pace.may_edit(chat_id, waiting_since):
            return False
        picture = await preview() if preview is not None else None
        try:
            if picture is not None:
                with suppress(NotTaken, WrongFile):  # the text may be taken all the same
                    await self.replace_picture(chat_id, message_id, picture, text, buttons)
                    return True
            await self.rewrite(chat_id, message_id, text, buttons)
        except TelegramUnavailable as error:
            self._pace.hold_back(chat_id, error.retry_after or 1)
            return False
        return True

    async def delete(self, chat_id: int, message_id: int, instead: str) -> None:
        """Deletes a message of ours; one that is gone already is fine.

        One that is over 48 hours old cannot be deleted (core.telegram.org/bots/api#deletemessage):
        it says `instead` from now on, and has neither buttons nor a picture to look at.
        """
        # Blocked, kicked or gone: there is nothing more that we can do.
        with suppress(CannotDeliver, Moved):
            with suppress(NotTaken):
                async with translated():
                    await self._bot.delete_message(chat_id, message_id)
                return
            with suppress(NotTaken):
                await self.rewrite_text(chat_id, message_id, instead)
                return
            await self.replace_picture(chat_id, message_id, nothing(), instead)

    async def download(self, file_id: str, most: int) -> bytes:
        """Fetches a file; see `bot.fetching.fetch`."""
        return await fetch(self._bot, file_id, most)

    @asynccontextmanager
    async def _sending(self, chat_id: int) -> AsyncGenerator[None, None]:
        """While a message goes out, its chat's edits give way."""
        try:
            with self._pace.sending(chat_id):
                async with translated():
                    yield
        except TelegramUnavailable as error:
            if error.retry_after is not None:
                self._pace.hold_back(chat_id, error.retry_after)
            raise


@asynccontextmanager
async def _editing() -> AsyncGenerator[None, None]:
    """Telegram refuses an edit that changes nothing, as by a button that was pressed twice."""
    try:
        async with translated():
            yield
    except NotTaken as error:
        if _UNCHANGED not in str(error).lower():
            raise
