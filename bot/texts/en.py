"""What the bot says, in English. Plain text everywhere: nothing needs escaping."""

from collections.abc import Sequence
from textwrap import shorten
from typing import Final

from bot.clients.generator import Job
from protos.lookalike.db.v1 import db_pb2 as db

COMMANDS: Final = (
    ("start", "What this bot does"),
    ("status", "Your pictures in the making"),
    ("history", "Your photos and pictures so far"),
    ("cancel", "Cancel all of your pictures in the making"),
    ("help", "How to use this bot"),
)

START: Final = (
    "Send me a photo. I tell you in one sentence what I see, and paint a new picture from that "
    "sentence. Words you write with the photo are painted, too.\n\n/help says what else I can do."
)

HELP: Final = "\n".join(
    [
        "Send a photo, or an image as a file (JPEG, PNG or WebP).",
        "",
        *(f"/{name} - {words}" for name, words in COMMANDS if name != "help"),
    ]
)

SMALL_MODEL: Final = "emoji"
"""The one in the package. Whoever sees its pictures shall know that it is a small one."""

SMALL_MODEL_SIZE: Final = "64 x 64 pixels"

CANNOT_USE: Final = "I can only work with photos and images (JPEG, PNG or WebP). Send me one!"
UNKNOWN_COMMAND: Final = "I do not know this command. /help lists those that I know."
WENT_WRONG: Final = "Something went wrong on my side. Please try again."
STORAGE_AWAY: Final = "My storage is not answering just now. Please try again in a moment."

CANCEL_BUTTON: Final = "Cancel"
OLDER_BUTTON: Final = "Older »"
NEWER_BUTTON: Final = "« Newer"

NOT_YOURS: Final = "This belongs to somebody else."
GONE: Final = "This button no longer works."
CANCELLED: Final = "Cancelled."
TOO_LATE: Final = "Too late: this picture is done already."
NOT_ASKED: Final = "not asked yet"
WORKING: Final = "working"
NOT_ANSWERING: Final = "not answering"
NOT_SET_UP: Final = "not set up correctly"
NO_ROOM: Final = "no room just now"
NO_HISTORY: Final = "You have sent me no photos here yet."
NO_WORK: Final = "You have no pictures in the making here."

_ENDINGS: Final = {
    "too-many-unfinished": "You already have as many pictures in the making as I allow. Please "
    "send this photo again when one of them is done.",
    "file-too-large": "This file is larger than 20 MB. Telegram does not let me fetch it; please "
    "send a smaller one.",
    "file-gone": "Telegram no longer has this file. Please send it again.",
    "unsupported-format": "I cannot read this kind of file. Please send a JPEG, PNG or WebP image.",
    "not-an-image": "I cannot read this image; the file seems to be damaged.",
    "image-too-small": "This image is too small: I need at least 50 pixels on each side.",
    "image-too-large": "This image is too large: I can take up to 40 million pixels, and up to "
    "16,000 on a side.",
    "photo-refused": "The captioning service will not take this photo.",
    "picture-not-taken": "The picture is painted, but Telegram does not take it here. May I send "
    "photos in this chat? /history has the picture.",
    "job-rejected": "The picture service will not take this request.",
    "gave-up": "The picture service has tried several times and could not paint this picture.",
    "cannot-compute": "The picture service could not paint this picture.",
    "job-cancelled": "The picture was cancelled at the picture service.",
    "refused-by-safety": "The safety filter held the picture back. Another photo, or the same one "
    "with other words, may fare better.",
    "internal-error": "Something went wrong on my side, and trying again did not help. I am sorry.",
}

_WAITING: Final = {
    "captioner-away": "The captioning service is not answering. I keep trying.",
    "captioner-misconfigured": "The captioning service is not set up correctly. Whoever runs this "
    "bot has to look at it; I keep trying.",
    "generator-away": "The picture service is not answering. I keep trying.",
    "generator-busy": "The picture service has no room just now. I keep trying.",
}

_STATES: Final = {
    db.GENERATION_STATE_RECEIVED: "received",
    db.GENERATION_STATE_STORED: "waiting for its caption",
    db.GENERATION_STATE_CAPTIONED: "on its way to the painter",
    db.GENERATION_STATE_QUEUED: "waiting",
    db.GENERATION_STATE_RUNNING: "being painted",
    db.GENERATION_STATE_FINISHED: "done, about to be sent",
    db.GENERATION_STATE_DELIVERED: "done",
    db.GENERATION_STATE_FAILED: "failed",
    db.GENERATION_STATE_REFUSED: "held back by the safety filter",
    db.GENERATION_STATE_CANCELLED: "cancelled",
    db.GENERATION_STATE_UNDELIVERABLE: "could not be sent",
}

_SPEAKERS: Final = {
    "azure": "Azure AI Vision",
    "blip": "BLIP",
    "offline": "the offline captioner",
}

_BAR_CELLS: Final = 10
_TITLE: Final = 100  # characters
_SHOWN_PROMPT: Final = 400  # characters; Telegram takes 1,024 UTF-16 units in all
_MINUTE: Final = 60


def caption(said: db.Caption) -> str:
    """The reply that tells what the photo shows, how sure that is, and who says so."""
    speaker = _SPEAKERS.get(said.captioner, said.captioner)
    sure = f"{said.confidence:.0%} sure, " if said.HasField("confidence") else ""
    return f"{said.text}\n\n({sure}says {speaker})"


def picture(prompt: str, seed: int, model: str) -> str:
    """What stands under a finished picture."""
    if len(prompt) > _SHOWN_PROMPT:
        prompt = f"{prompt[: _SHOWN_PROMPT - 1]}…"
    own_size = f", which draws {SMALL_MODEL_SIZE}; enlarged" if model == SMALL_MODEL else ""
    return f"{prompt}\n\nseed {seed}, model {model}{own_size}"


def ending(code: str) -> str:
    """How a generation without a picture ended."""
    return _ENDINGS.get(code, _ENDINGS["internal-error"])


def waiting(code: str) -> str:
    """What a generation waits for while something is away."""
    return _WAITING[code]


def endings() -> Sequence[str]:
    """Every code that has words of its own."""
    return tuple(_ENDINGS)


def waits() -> Sequence[str]:
    """Every code of something that is waited for."""
    return tuple(_WAITING)


def duration(seconds: float) -> str:
    """A rough length of time."""
    if seconds < _MINUTE:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / _MINUTE)} min"


def progress(job: Job) -> str:
    """The status message: the place in the queue, or a bar, percent and the time left."""
    left = f", about {duration(job.eta_seconds)}" if job.eta_seconds is not None else ""
    if job.state == "queued":
        if job.position == 0:
            return f"Next in line{left}"
        others = "1 picture" if job.position == 1 else f"{job.position} pictures"
        return f"Waiting: {others} before yours{left}"
    done = job.step / job.steps if job.steps else 0.0
    cells = int(done * _BAR_CELLS)
    return f"Painting {'▓' * cells}{'░' * (_BAR_CELLS - cells)} {done:.0%}{left}"


def submitted() -> str:
    """The status message before anything is known of the queue."""
    return "Waiting for the painter"


def cancelled_some(cancelled: int, too_late: int) -> str:
    """The answer to /cancel where it found something."""
    pictures = "1 picture" if cancelled == 1 else f"{cancelled} pictures"
    late = f" {too_late} {'was' if too_late == 1 else 'were'} done already." if too_late else ""
    return f"Cancelled {pictures}.{late}"


def _title(item: db.Item) -> str:
    return shorten(item.photo.caption.text or item.photo.user_text, _TITLE, placeholder="…")


def and_more(count: int) -> str:
    """What a list that is too long ends with."""
    return f"... and {count} more"


def status_line(number: int, item: db.Item, job: Job | None) -> str:
    """One unfinished generation in the answer to /status."""
    title = _title(item) or "your photo"
    known = job is not None and job.state in {"queued", "running"}
    state = progress(job) if job is not None and known else _STATES[item.generation.state]
    return f"{number}. {title}: {state}"


def history_line(number: int, item: db.Item) -> str:
    """One generation in the answer to /history."""
    when = item.generation.created_at.ToDatetime().strftime("%Y-%m-%d %H:%M")
    title = _title(item) or "a photo"
    return f"{number}. {when} UTC, {_STATES[item.generation.state]}: {title}"


def no_picture(item: db.Item) -> str:
    """Why a generation in the history has no picture to open."""
    state = item.generation.state
    if item.generation.HasField("closed_at"):
        return f"There is no picture: {_STATES[state]}."
    return f"No picture yet: {_STATES[state]}."
