"""What requests about photos and generations must look like."""

import re

from dbservice.transitions import FAILED, REFUSED, TRANSITIONS, WITH_ERROR
from dbservice.validation.rules import (
    MAX_NAME,
    Violations,
    dial,
    identifier,
    not_zero,
    text,
    user_in_chat,
    violations,
    within,
)
from protos.lookalike.db.v1 import db_pb2 as db

MAX_PHOTO = 20 * 1024 * 1024  # bytes
MAX_PICTURE = 32 * 1024 * 1024  # bytes
MAX_CHUNK = 256 * 1024  # bytes
MAX_LEASES = 500  # in a response
MOST_PICTURES = 4  # in a set

_MAX_PROMPT = 1000  # characters, as in generator.xsd
_MAX_USER_TEXT = 4096  # characters, as many as Telegram lets anybody write
_MAX_ID = 1024  # characters; Telegram promises nothing, its ids have under 100
_MAX_MODEL = 1024  # characters; a model may be named after its folder
_MAX_PIXELS = 65535  # along one side
_MAX_PAGE = 50
_MAX_QUERY = 256  # characters of an inline query, as Telegram takes them
_MAX_GUESSES = 5
_MAX_ADDRESS = 2048  # characters
_MAX_CLAIM = 3600  # seconds
_MOST_BUSY = 10_000

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"image/[a-z0-9.+-]{1,64}")


@violations.register
def _(request: db.ReceivePhotoRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("chat_id", request.chat_id)
    yield from within("message_id", request.message_id, 1)
    yield from not_zero("user_id", request.user_id)
    yield from text("language_code", request.language_code, MAX_NAME)
    yield from text("file_id", request.file_id, _MAX_ID, least=1)
    yield from within("file_size", request.file_size, 0)
    yield from text("user_text", request.user_text, _MAX_USER_TEXT)
    yield from _parameters(request.parameters)
    if request.HasField("message_thread_id"):
        yield from within("message_thread_id", request.message_thread_id, 1)
    yield from text("media_group_id", request.media_group_id, MAX_NAME)
    yield from _recipe(request.recipe)
    if request.HasField("asking_message_id"):
        yield from within("asking_message_id", request.asking_message_id, 1)
    elif request.of_another:
        yield "asking_message_id", "must be given for another's photo"
    if request.only_with_album and not request.media_group_id:
        yield "media_group_id", "must be given with only_with_album"


@violations.register
def _(request: db.StorePhotoRequest) -> Violations:
    if request.HasField("info"):
        yield from identifier("info.generation_id", request.info.generation_id)
        yield from _image("info.image", request.info.image, MAX_PHOTO)
    else:
        yield from _chunk(request)


@violations.register
def _(request: db.AdvanceGenerationRequest) -> Violations:
    yield from identifier("generation_id", request.generation_id)
    for field in ("from_state", "to_state"):
        if getattr(request, field) not in TRANSITIONS:
            yield field, "must be a state"
    patch = request.patch
    if patch.HasField("caption"):
        yield from _caption(patch.caption)
    yield from text("patch.prompt", patch.prompt, _MAX_PROMPT)
    yield from text("patch.negative_prompt", patch.negative_prompt, _MAX_PROMPT)
    yield from text("patch.result_file_id", patch.result_file_id, _MAX_ID)
    if patch.HasField("chat_id"):
        yield from not_zero("patch.chat_id", patch.chat_id)
    if patch.sending.kind not in db.MessageKind.values():
        yield "patch.sending.kind", "must be a kind of message"
    yield from within("patch.sending.unseen", patch.sending.unseen, 0)
    yield from _album(patch)
    if patch.HasField("error"):
        yield from _error("patch.error", patch.error)
        if request.to_state not in WITH_ERROR:
            yield "patch.error", "must be absent in this state"
    elif request.to_state in (FAILED, REFUSED) and request.to_state != request.from_state:
        yield "patch.error", "must say why"


@violations.register
def _(request: db.CreateGenerationRequest) -> Violations:
    yield from user_in_chat(request)
    yield from within("message_id", request.message_id, 1)
    yield from text("request_id", request.request_id, MAX_NAME)
    yield from _parameters(request.parameters)
    yield from _recipe(request.recipe)
    yield from text("language_code", request.language_code, MAX_NAME)
    if request.HasField("message_thread_id"):
        yield from within("message_thread_id", request.message_thread_id, 1)
    if request.parent_id:
        yield from identifier("parent_id", request.parent_id)
        yield from text("button", request.button, MAX_NAME)
        if request.HasField("caption"):
            yield from text("caption", request.caption, _MAX_PROMPT, least=1)
        if bool(request.button) != bool(request.request_id):
            yield "request_id", "must be given for a button, and for nothing else"
        return
    for field in ("button", "request_id", "caption"):
        if getattr(request, field):
            yield field, "must be absent without parent_id"
    if not (request.recipe.words or request.parameters.prompt):
        yield "recipe.words", "must be given without parent_id"


@violations.register
def _(request: db.ConfirmEpochRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from within("epoch", request.epoch, 1)
    yield from text("holder", request.holder, MAX_NAME)


@violations.register
def _(request: db.BeginEpochRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from text("address", request.address, _MAX_ADDRESS)
    yield from text("holder", request.holder, MAX_NAME, least=int(bool(request.address)))
    yield from text("before", request.before, MAX_NAME)


@violations.register
def _(request: db.ClaimRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from text("holder", request.holder, MAX_NAME, least=1)
    yield from text("name", request.name, MAX_NAME, least=1)
    yield from within("seconds", request.seconds, 0, _MAX_CLAIM)


@violations.register
def _(request: db.LeaseGenerationsRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    if request.HasField("epoch"):
        yield from within("epoch", request.epoch, 1)
    yield from text("holder", request.holder, MAX_NAME, least=1)
    yield from within("limit", request.limit, 0, MAX_LEASES)
    if len(request.busy_chat_ids) > _MOST_BUSY:
        yield "busy_chat_ids", f"must be {_MOST_BUSY} at most"


@violations.register
def _(request: db.FinalizeGenerationRequest) -> Violations:
    if not request.HasField("info"):
        yield from _chunk(request)
        return
    info = request.info
    yield from identifier("info.generation_id", info.generation_id)
    yield from within("info.place", info.place, 0, MOST_PICTURES)
    outcome = info.WhichOneof("outcome")
    if outcome is None:
        yield "info.outcome", "must be picture, failed or refused"
    elif outcome == "picture":
        picture = info.picture
        yield from _image("info.picture.image", picture.image, MAX_PICTURE)
        yield from within("info.picture.seed", picture.seed, 0)
        yield from text("info.picture.model", picture.model, _MAX_MODEL, least=1)
        if picture.file_id:
            yield "info.picture.file_id", "must be empty until the picture is sent"
    else:
        yield from _error(f"info.{outcome}", getattr(info, outcome))


@violations.register(db.CloseGenerationRequest)
@violations.register(db.CountCaptionRequest)
def _(request: db.CloseGenerationRequest | db.CountCaptionRequest) -> Violations:
    yield from identifier("generation_id", request.generation_id)


@violations.register
def _(request: db.CancelGenerationsRequest) -> Violations:
    yield from user_in_chat(request)
    if request.generation_id:
        yield from identifier("generation_id", request.generation_id)
    if request.HasField("before_message_id"):
        yield from within("before_message_id", request.before_message_id, 1)


@violations.register
def _(request: db.GetStatusRequest) -> Violations:
    yield from user_in_chat(request)


@violations.register
def _(request: db.ListHistoryRequest) -> Violations:
    yield from user_in_chat(request)
    yield from within("page_size", request.page_size, 0, _MAX_PAGE)
    if request.generation_id:
        yield from identifier("generation_id", request.generation_id)
        if request.cursor:
            yield "cursor", "must be absent with generation_id"


@violations.register
def _(request: db.GetGenerationRequest) -> Violations:
    yield from user_in_chat(request)
    match request.WhichOneof("which"):
        case "message_id":
            yield from within("message_id", request.message_id, 1)
        case _:
            yield from identifier("generation_id", request.generation_id)


@violations.register
def _(request: db.NoteMessageRequest) -> Violations:
    yield from user_in_chat(request)
    yield from identifier("generation_id", request.generation_id)
    yield from within("message_id", request.message_id, 1)
    if request.kind not in (db.MESSAGE_KIND_PICTURE, db.MESSAGE_KIND_QUESTION):
        yield "kind", "must be that of a picture or a question"


@violations.register(db.DeleteGenerationRequest)
@violations.register(db.StarGenerationRequest)
def _(request: db.DeleteGenerationRequest | db.StarGenerationRequest) -> Violations:
    yield from user_in_chat(request)
    yield from identifier("generation_id", request.generation_id)


@violations.register
def _(request: db.FindPicturesRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)
    yield from text("words", request.words, _MAX_QUERY)
    yield from within("page_size", request.page_size, 0, _MAX_PAGE)
    if request.generation_id:
        yield from identifier("generation_id", request.generation_id)
        for field in ("words", "cursor"):
            if getattr(request, field):
                yield field, "must be absent with generation_id"


@violations.register
def _(request: db.GetImageRequest) -> Violations:
    source = request.WhichOneof("source")
    if source is None:
        yield "source", "must be photo_id or generation_id"
    else:
        yield from identifier(source, getattr(request, source))
    if request.thumbnail not in db.ThumbnailFormat.values():
        yield "thumbnail", "must be one of ThumbnailFormat"


@violations.register
def _(request: db.GetFamilyRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)
    yield from identifier("generation_id", request.generation_id)


def _caption(caption: db.Caption) -> Violations:
    yield from text("patch.caption.text", caption.text, _MAX_PROMPT, least=1)
    yield from within("patch.caption.confidence", caption.confidence, 0, 1)
    yield from text("patch.caption.captioner", caption.captioner, MAX_NAME, least=1)
    yield from text("patch.caption.model", caption.model, MAX_NAME)
    if len(caption.guesses) > _MAX_GUESSES:
        yield "patch.caption.guesses", f"must be at most {_MAX_GUESSES}"
    for guess in caption.guesses:
        yield from text("patch.caption.guesses", guess, _MAX_PROMPT, least=1)


def _album(patch: db.GenerationPatch) -> Violations:
    if len(patch.album) > MOST_PICTURES:
        yield "patch.album", f"must be at most {MOST_PICTURES}"
    for shown in patch.album:
        yield from identifier("patch.album.generation_id", shown.generation_id)
        yield from within("patch.album.message_id", shown.message_id, 1)
        yield from text("patch.album.file_id", shown.file_id, _MAX_ID)


def _recipe(recipe: db.Recipe) -> Violations:
    yield from dial("recipe.dial", recipe.dial)
    yield from text("recipe.style", recipe.style, MAX_NAME)
    yield from text("recipe.words", recipe.words, _MAX_USER_TEXT)


def _parameters(parameters: db.Parameters) -> Violations:
    """The ranges of generator.xsd: a row must never be one that cannot be submitted."""
    yield from text("parameters.prompt", parameters.prompt, _MAX_PROMPT)
    yield from text("parameters.negative_prompt", parameters.negative_prompt, _MAX_PROMPT)
    yield from text("parameters.preset", parameters.preset, 64)
    for side in ("width", "height"):
        if parameters.HasField(side):
            value = getattr(parameters, side)
            yield from within(f"parameters.{side}", value, 64, 1024)
            if value % 8:
                yield f"parameters.{side}", "must be a multiple of 8"
    if parameters.HasField("steps"):
        yield from within("parameters.steps", parameters.steps, 1, 150)
    yield from within("parameters.guidance_scale", parameters.guidance_scale, 0, 30)
    yield from within("parameters.seed", parameters.seed, 0)


def _image(field: str, image: db.ImageInfo, max_size: int) -> Violations:
    if not _MEDIA_TYPE.fullmatch(image.media_type):
        yield f"{field}.media_type", "must be image/..."
    yield from within(f"{field}.width", image.width, 1, _MAX_PIXELS)
    yield from within(f"{field}.height", image.height, 1, _MAX_PIXELS)
    yield from within(f"{field}.size", image.size, 1, max_size)
    if not _SHA256.fullmatch(image.sha256):
        yield f"{field}.sha256", "must be 64 lower-case hexadecimal digits"


def _chunk(request: db.StorePhotoRequest | db.FinalizeGenerationRequest) -> Violations:
    """The message after the info; one that is neither is out of order, which `uploads` sees."""
    if request.HasField("chunk") and not 0 < len(request.chunk) <= MAX_CHUNK:
        yield "chunk", f"must have 1 to {MAX_CHUNK} bytes"


def _error(field: str, error: db.Error) -> Violations:
    yield from text(f"{field}.code", error.code, MAX_NAME, least=1)
    yield from text(f"{field}.goes_on_at", error.goes_on_at, MAX_NAME)
