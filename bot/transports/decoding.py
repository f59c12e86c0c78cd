"""An update from Telegram as python-telegram-bot's `Update`, of which every part that is read fits.

The library takes most values as they come: a `message_id` that is a text, or an id of 80 digits,
would be found out by a handler or by dbservice. So what is read here has its types checked.
"""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from telegram import Bot, Update

from bot.transports.base import Json

_MOST_ID = 2**53  # Telegram promises 52 significant bits (core.telegram.org/bots/api#user)


def _not_zero(number: int) -> int:
    if number == 0:
        raise ValueError("there is no chat 0")
    return number


_UserId: TypeAlias = Annotated[int, Field(ge=1, lt=_MOST_ID)]
_ChatId: TypeAlias = Annotated[int, Field(gt=-_MOST_ID, lt=_MOST_ID), AfterValidator(_not_zero)]
_MessageId: TypeAlias = Annotated[int, Field(ge=1, lt=_MOST_ID)]
_Size: TypeAlias = Annotated[int, Field(ge=0, lt=_MOST_ID)]
_Text: TypeAlias = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Without NUL, which not every database keeps."""

_Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=1024)]


class Undecodable(Exception):
    """An update that nobody can use; the text says what is wrong and repeats none of it."""


class _Read(BaseModel):
    model_config = ConfigDict(strict=True)


class _User(_Read):
    id: _UserId
    language_code: Annotated[_Text, Field(max_length=64)] | None = None


class _Chat(_Read):
    id: _ChatId
    type: _Name


class _File(_Read):
    file_id: Annotated[_Text, Field(min_length=1, max_length=1024)]
    file_size: _Size | None = None
    file_name: str | None = None
    mime_type: str | None = None


class _Entity(_Read):
    type: str
    offset: _Size
    length: _Size
    user: _User | None = None


class _Message(_Read):
    message_id: _MessageId
    chat: _Chat
    sender: Annotated[_User | None, Field(alias="from")] = None
    sender_chat: _Chat | None = None
    message_thread_id: _MessageId | None = None
    is_topic_message: bool | None = None
    media_group_id: Annotated[_Text, Field(max_length=200)] | None = None
    text: str | None = None
    caption: str | None = None
    entities: list[_Entity] | None = None
    caption_entities: list[_Entity] | None = None
    photo: list[_File] | None = None
    document: _File | None = None
    reply_to_message: "_Message | None" = None


class _Press(_Read):
    id: _Name
    sender: Annotated[_User, Field(alias="from")]
    data: _Name
    message: _Message | None = None


class _Update(_Read):
    message: _Message | None = None
    callback_query: _Press | None = None


def decode(update: Json, bot: Bot) -> Update:
    """The update, for handlers that answer through `bot`.

    Raises:
        Undecodable: it is not what the Bot API describes.
    """
    try:
        _Update.model_validate(update)
        return Update.de_json(update, bot)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Undecodable(f"{place}: {first['msg']}") from None
    except MemoryError:
        raise
    except Exception as error:
        # The library looks into what it is given without asking; nearly anything may come of that.
        raise Undecodable(type(error).__name__) from error
