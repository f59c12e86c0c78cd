"""What a request must look like, before anything is done with it."""

import math
import re
import uuid
from collections.abc import Iterator
from functools import singledispatch
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf.message import Message

from dbservice.errors import invalid
from dbservice.transitions import FAILED, REFUSED, TRANSITIONS, WITH_ERROR
from protos.lookalike.db.v1 import db_pb2 as db

MAX_PHOTO = 20 * 1024 * 1024  # bytes
MAX_PICTURE = 32 * 1024 * 1024  # bytes
MAX_CHUNK = 256 * 1024  # bytes
MAX_LEASES = 500  # in a response
MOST_PICTURES = 4  # in a set

_MAX_PROMPT = 1000  # characters, as in generator.xsd
_MAX_USER_TEXT = 4096  # characters, as many as Telegram lets anybody write
_MAX_ID = 1024  # characters; Telegram promises nothing, its ids have under 100
_MAX_NAME = 200  # characters
_MAX_MODEL = 1024  # characters; a model may be named after its folder
_MAX_PIXELS = 65535  # along one side
_MAX_PAGE = 50
_MAX_GUESSES = 5

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"image/[a-z0-9.+-]{1,64}")
_LANGUAGE = re.compile(r"(?:[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3})?")

_Violations = Iterator[tuple[str, str]]


class _InChat(Protocol):
    """A request of a user in a chat."""

    bot_id: int
    chat_id: int
    user_id: int


def check(request: Message) -> None:
    """Refuses a request, or one message of a stream of them, that the contract does not allow.

    Raises:
        ServiceError: INVALID_ARGUMENT, with every field that is at fault.
    """
    violations = (*_violations(request), *_nul("", request))
    if violations:
        raise invalid(*violations)


@singledispatch
def _violations(request: Message) -> _Violations:
    raise TypeError(type(request))


@_violations.register
def _(request: db.ReceivePhotoRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    yield from _not_zero("chat_id", request.chat_id)
    yield from _within("message_id", request.message_id, 1)
    yield from _not_zero("user_id", request.user_id)
    yield from _text("language_code", request.language_code, _MAX_NAME)
    yield from _text("file_id", request.file_id, _MAX_ID, least=1)
    yield from _within("file_size", request.file_size, 0)
    yield from _text("user_text", request.user_text, _MAX_USER_TEXT)
    yield from _parameters(request.parameters)
    if request.HasField("message_thread_id"):
        yield from _within("message_thread_id", request.message_thread_id, 1)
    yield from _text("media_group_id", request.media_group_id, _MAX_NAME)
    yield from _recipe(request.recipe)


@_violations.register
def _(request: db.StorePhotoRequest) -> _Violations:
    if request.HasField("info"):
        yield from _id("info.generation_id", request.info.generation_id)
        yield from _image("info.image", request.info.image, MAX_PHOTO)
    else:
        yield from _chunk(request)


@_violations.register
def _(request: db.AdvanceGenerationRequest) -> _Violations:
    yield from _id("generation_id", request.generation_id)
    for field in ("from_state", "to_state"):
        if getattr(request, field) not in TRANSITIONS:
            yield field, "must be a state"
    patch = request.patch
    if patch.HasField("caption"):
        yield from _caption(patch.caption)
    yield from _text("patch.prompt", patch.prompt, _MAX_PROMPT)
    yield from _text("patch.negative_prompt", patch.negative_prompt, _MAX_PROMPT)
    yield from _text("patch.result_file_id", patch.result_file_id, _MAX_ID)
    if patch.HasField("chat_id"):
        yield from _not_zero("patch.chat_id", patch.chat_id)
    if patch.sending.kind not in db.MessageKind.values():
        yield "patch.sending.kind", "must be a kind of message"
    yield from _within("patch.sending.unseen", patch.sending.unseen, 0)
    yield from _album(patch)
    if patch.HasField("error"):
        yield from _error("patch.error", patch.error)
        if request.to_state not in WITH_ERROR:
            yield "patch.error", "must be absent in this state"
    elif request.to_state in (FAILED, REFUSED) and request.to_state != request.from_state:
        yield "patch.error", "must say why"


@_violations.register
def _(request: db.CreateGenerationRequest) -> _Violations:
    yield from _user_in_chat(request)
    yield from _within("message_id", request.message_id, 1)
    yield from _text("request_id", request.request_id, _MAX_NAME)
    yield from _parameters(request.parameters)
    yield from _recipe(request.recipe)
    yield from _text("language_code", request.language_code, _MAX_NAME)
    if request.HasField("message_thread_id"):
        yield from _within("message_thread_id", request.message_thread_id, 1)
    if request.parent_id:
        yield from _id("parent_id", request.parent_id)
        yield from _text("button", request.button, _MAX_NAME)
        if request.HasField("caption"):
            yield from _text("caption", request.caption, _MAX_PROMPT, least=1)
        if bool(request.button) != bool(request.request_id):
            yield "request_id", "must be given for a button, and for nothing else"
        return
    for field in ("button", "request_id", "caption"):
        if getattr(request, field):
            yield field, "must be absent without parent_id"
    if not (request.recipe.words or request.parameters.prompt):
        yield "recipe.words", "must be given without parent_id"


@_violations.register(db.BeginEpochRequest)
@_violations.register(db.ListForgettingsRequest)
def _(request: db.BeginEpochRequest | db.ListForgettingsRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)


@_violations.register
def _(request: db.ConfirmEpochRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    yield from _within("epoch", request.epoch, 1)


@_violations.register
def _(request: db.LeaseGenerationsRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    if request.HasField("epoch"):
        yield from _within("epoch", request.epoch, 1)
    yield from _text("holder", request.holder, _MAX_NAME, least=1)
    yield from _within("limit", request.limit, 0, MAX_LEASES)


@_violations.register
def _(request: db.FinalizeGenerationRequest) -> _Violations:
    if not request.HasField("info"):
        yield from _chunk(request)
        return
    info = request.info
    yield from _id("info.generation_id", info.generation_id)
    yield from _within("info.place", info.place, 0, MOST_PICTURES)
    outcome = info.WhichOneof("outcome")
    if outcome is None:
        yield "info.outcome", "must be picture, failed or refused"
    elif outcome == "picture":
        picture = info.picture
        yield from _image("info.picture.image", picture.image, MAX_PICTURE)
        yield from _within("info.picture.seed", picture.seed, 0)
        yield from _text("info.picture.model", picture.model, _MAX_MODEL, least=1)
        if picture.file_id:
            yield "info.picture.file_id", "must be empty until the picture is sent"
    else:
        yield from _error(f"info.{outcome}", getattr(info, outcome))


@_violations.register
def _(request: db.CloseGenerationRequest) -> _Violations:
    yield from _id("generation_id", request.generation_id)


@_violations.register
def _(request: db.CancelGenerationsRequest) -> _Violations:
    yield from _user_in_chat(request)
    if request.generation_id:
        yield from _id("generation_id", request.generation_id)
    if request.HasField("before_message_id"):
        yield from _within("before_message_id", request.before_message_id, 1)


@_violations.register
def _(request: db.GetStatusRequest) -> _Violations:
    yield from _user_in_chat(request)


@_violations.register
def _(request: db.ListHistoryRequest) -> _Violations:
    yield from _user_in_chat(request)
    yield from _within("page_size", request.page_size, 0, _MAX_PAGE)
    if request.generation_id:
        yield from _id("generation_id", request.generation_id)
        if request.cursor:
            yield "cursor", "must be absent with generation_id"


@_violations.register
def _(request: db.GetGenerationRequest) -> _Violations:
    yield from _user_in_chat(request)
    match request.WhichOneof("which"):
        case "message_id":
            yield from _within("message_id", request.message_id, 1)
        case _:
            yield from _id("generation_id", request.generation_id)


@_violations.register
def _(request: db.NoteMessageRequest) -> _Violations:
    yield from _user_in_chat(request)
    yield from _id("generation_id", request.generation_id)
    yield from _within("message_id", request.message_id, 1)
    if request.kind not in (db.MESSAGE_KIND_PICTURE, db.MESSAGE_KIND_QUESTION):
        yield "kind", "must be that of a picture or a question"


@_violations.register(db.DeleteGenerationRequest)
@_violations.register(db.StarGenerationRequest)
def _(request: db.DeleteGenerationRequest | db.StarGenerationRequest) -> _Violations:
    yield from _user_in_chat(request)
    yield from _id("generation_id", request.generation_id)


@_violations.register(db.GetSettingsRequest)
@_violations.register(db.ChangeSettingsRequest)
def _(request: db.GetSettingsRequest | db.ChangeSettingsRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    yield from _not_zero("user_id", request.user_id)
    if isinstance(request, db.ChangeSettingsRequest):
        yield from _dial("settings.dial", request.settings.dial)
        if request.settings.pictures not in (0, 1, 2, 4):
            yield "settings.pictures", "must be 1, 2 or 4"
        if not _LANGUAGE.fullmatch(request.settings.language):
            yield "settings.language", "must be a language tag in lower-case letters"
        if not _is_zone(request.settings.time_zone):
            yield "settings.time_zone", "must be of the IANA time zone database"
        yield from _text("language_code", request.language_code, _MAX_NAME)


@_violations.register
def _(request: db.GetImageRequest) -> _Violations:
    source = request.WhichOneof("source")
    if source is None:
        yield "source", "must be photo_id or generation_id"
    else:
        yield from _id(source, getattr(request, source))


@_violations.register(db.ForgetUserRequest)
@_violations.register(db.EndForgettingRequest)
def _(request: db.ForgetUserRequest | db.EndForgettingRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    yield from _not_zero("user_id", request.user_id)


@_violations.register
def _(request: db.BeginForgettingRequest) -> _Violations:
    yield from _user_in_chat(request)
    yield from _within("message_id", request.message_id, 1)
    yield from _text("language_code", request.language_code, _MAX_NAME)


def _nul(prefix: str, message: Message) -> _Violations:
    """Every text with a NUL, which not every database keeps."""
    for field in message.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            if "\0" in "".join(getattr(message, field.name)):  # of one text or of several
                yield f"{prefix}{field.name}", "must not contain a NUL character"
        elif field.type == field.TYPE_MESSAGE:
            value = getattr(message, field.name)
            inner = value if field.is_repeated else [value] if message.HasField(field.name) else ()
            for each in inner:
                yield from _nul(f"{prefix}{field.name}.", each)


def _caption(caption: db.Caption) -> _Violations:
    yield from _text("patch.caption.text", caption.text, _MAX_PROMPT, least=1)
    yield from _within("patch.caption.confidence", caption.confidence, 0, 1)
    yield from _text("patch.caption.captioner", caption.captioner, _MAX_NAME, least=1)
    yield from _text("patch.caption.model", caption.model, _MAX_NAME)
    if len(caption.guesses) > _MAX_GUESSES:
        yield "patch.caption.guesses", f"must be at most {_MAX_GUESSES}"
    for guess in caption.guesses:
        yield from _text("patch.caption.guesses", guess, _MAX_PROMPT, least=1)


def _album(patch: db.GenerationPatch) -> _Violations:
    if len(patch.album) > MOST_PICTURES:
        yield "patch.album", f"must be at most {MOST_PICTURES}"
    for shown in patch.album:
        yield from _id("patch.album.generation_id", shown.generation_id)
        yield from _within("patch.album.message_id", shown.message_id, 1)
        yield from _text("patch.album.file_id", shown.file_id, _MAX_ID)


def _recipe(recipe: db.Recipe) -> _Violations:
    yield from _dial("recipe.dial", recipe.dial)
    yield from _text("recipe.style", recipe.style, _MAX_NAME)
    yield from _text("recipe.words", recipe.words, _MAX_USER_TEXT)


def _dial(field: str, dial: db.Dial) -> _Violations:
    if dial not in db.Dial.values():
        yield field, "must be a step of the dial"


def _is_zone(name: str) -> bool:
    """Whether it is a time zone; "" is none, and may be chosen."""
    try:
        return not name or bool(ZoneInfo(name))
    except (OSError, ValueError, ZoneInfoNotFoundError):  # a folder of zones, a path, a fancy
        return False


def _user_in_chat(request: _InChat) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    yield from _not_zero("chat_id", request.chat_id)
    yield from _not_zero("user_id", request.user_id)


def _parameters(parameters: db.Parameters) -> _Violations:
    """The ranges of generator.xsd: a row must never be one that cannot be submitted."""
    yield from _text("parameters.prompt", parameters.prompt, _MAX_PROMPT)
    yield from _text("parameters.negative_prompt", parameters.negative_prompt, _MAX_PROMPT)
    yield from _text("parameters.preset", parameters.preset, 64)
    for side in ("width", "height"):
        if parameters.HasField(side):
            value = getattr(parameters, side)
            yield from _within(f"parameters.{side}", value, 64, 1024)
            if value % 8:
                yield f"parameters.{side}", "must be a multiple of 8"
    if parameters.HasField("steps"):
        yield from _within("parameters.steps", parameters.steps, 1, 150)
    yield from _within("parameters.guidance_scale", parameters.guidance_scale, 0, 30)
    yield from _within("parameters.seed", parameters.seed, 0)


def _image(field: str, image: db.ImageInfo, max_size: int) -> _Violations:
    if not _MEDIA_TYPE.fullmatch(image.media_type):
        yield f"{field}.media_type", "must be image/..."
    yield from _within(f"{field}.width", image.width, 1, _MAX_PIXELS)
    yield from _within(f"{field}.height", image.height, 1, _MAX_PIXELS)
    yield from _within(f"{field}.size", image.size, 1, max_size)
    if not _SHA256.fullmatch(image.sha256):
        yield f"{field}.sha256", "must be 64 lower-case hexadecimal digits"


def _chunk(request: db.StorePhotoRequest | db.FinalizeGenerationRequest) -> _Violations:
    """The message after the info; one that is neither is out of order, which `uploads` sees."""
    if request.HasField("chunk") and not 0 < len(request.chunk) <= MAX_CHUNK:
        yield "chunk", f"must have 1 to {MAX_CHUNK} bytes"


def _error(field: str, error: db.Error) -> _Violations:
    yield from _text(f"{field}.code", error.code, _MAX_NAME, least=1)


def _id(field: str, value: str) -> _Violations:
    try:
        canonical = str(uuid.UUID(value)) == value
    except ValueError:
        canonical = False
    if not canonical:
        yield field, "must be a UUID in lower-case letters"


def _text(field: str, value: str, most: int, least: int = 0) -> _Violations:
    if not least <= len(value) <= most:
        yield field, f"must have {least} to {most} characters"


def _within(field: str, value: float, least: float, most: float = math.inf) -> _Violations:
    if not least <= value <= most:  # not a number is in no range
        limit = "at least {}" if most == math.inf else "{} to {}"
        yield field, f"must be {limit.format(least, most)}"


def _not_zero(field: str, value: int) -> _Violations:
    if value == 0:
        yield field, "must not be 0"
