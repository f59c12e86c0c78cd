"""What the bot says, in one language. Plain text everywhere: nothing needs escaping.

Every sentence is a source string of gettext: `_` translates it, `ngettext` chooses its plural, and
`_noop` marks one that is translated when it is looked up. What is filled in comes in by name, so
that a translation can put it elsewhere.
"""

import gettext
from collections.abc import Sequence
from typing import Final

from bot.clients.documents import Job
from bot.health import Health
from protos.lookalike.db.v1 import db_pb2 as db

SMALL_MODEL: Final = "emoji"
"""The one in the package. Whoever sees its pictures is told that it is a small one."""

SMALL_MODEL_SIZE: Final = "64 x 64 pixels"


def _noop(message: str) -> str:
    """Marks a source string for the catalogues."""
    return message


_COMMANDS: Final = (
    ("start", _noop("What this bot does")),
    ("status", _noop("Your pictures in progress")),
    ("history", _noop("Your photos and pictures so far")),
    ("cancel", _noop("Cancel all your pictures in progress")),
    ("help", _noop("How to use this bot")),
)

_ENDINGS: Final = {
    "too-many-unfinished": _noop(
        "You already have as many pictures in progress as I allow. Please send this photo again "
        "when one of them is done."
    ),
    "too-much-kept": _noop(
        "I already keep as much of your photos and pictures as I may. Whoever runs this bot can "
        "make room; please send this photo again then."
    ),
    "file-too-large": _noop(
        "This file is larger than 20 MB, which Telegram doesn't let me download. Please send a "
        "smaller one."
    ),
    "file-gone": _noop("Telegram no longer has this file. Please send it again."),
    "unsupported-format": _noop(
        "I can't read this kind of file. Please send a JPEG, PNG or WebP image."
    ),
    "not-an-image": _noop("I can't read this image; the file seems to be damaged."),
    "image-too-small": _noop("This image is too small: I need at least 50 pixels on each side."),
    "image-too-large": _noop(
        "This image is too large: I can take up to 40 million pixels, and up to 16,000 on a side."
    ),
    "image-too-costly": _noop(
        "This image takes too long to open. Please send it as a photo rather than a file."
    ),
    "photo-refused": _noop("The captioning service won't take this photo."),
    "picture-not-taken": _noop(
        "Your picture is done, but Telegram won't let me post it here. May I send photos in this "
        "chat? /history has the picture."
    ),
    "job-rejected": _noop("The picture service won't take this request."),
    "gave-up": _noop("I tried several times and couldn't make this picture."),
    "cannot-compute": _noop("The picture service couldn't paint this picture."),
    "unknown-image": _noop("The picture service lost the photo on the way. Please try again."),
    "job-cancelled": _noop("The picture was cancelled at the picture service."),
    "refused-by-safety": _noop(
        "The safety filter held the picture back. Try another photo, or write something else with "
        "this one."
    ),
    "internal-error": _noop(
        "Something went wrong on my side, and trying again didn't help. Sorry about that."
    ),
}

_WAITS: Final = {
    "captioner-unavailable": _noop("The captioning service is not answering. I'll keep trying."),
    "captioner-misconfigured": _noop(
        "The captioning service is not set up correctly. Whoever runs this bot has to look at it; "
        "I'll keep trying."
    ),
    "generator-unavailable": _noop("The picture service is not answering. I'll keep trying."),
    "generator-busy": _noop("The picture service has no room just now. I'll keep trying."),
}

_HEALTH: Final = {
    Health.NOT_ASKED: _noop("not asked yet"),
    Health.OK: _noop("working"),
    Health.UNAVAILABLE: _noop("not answering"),
    Health.MISCONFIGURED: _noop("not set up correctly"),
    Health.BUSY: _noop("no room just now"),
}

_STATES: Final = {
    db.GENERATION_STATE_RECEIVED: _noop("received"),
    db.GENERATION_STATE_STORED: _noop("waiting for its caption"),
    db.GENERATION_STATE_CAPTIONED: _noop("on its way to the painter"),
    db.GENERATION_STATE_QUEUED: _noop("waiting"),
    db.GENERATION_STATE_RUNNING: _noop("being painted"),
    db.GENERATION_STATE_FINISHED: _noop("done, about to be sent"),
    db.GENERATION_STATE_DELIVERED: _noop("done"),
    db.GENERATION_STATE_FAILED: _noop("failed"),
    db.GENERATION_STATE_REFUSED: _noop("held back by the safety filter"),
    db.GENERATION_STATE_CANCELLED: _noop("cancelled"),
    db.GENERATION_STATE_UNDELIVERABLE: _noop("could not be sent"),
}

_CAPTIONERS: Final = {
    "azure": "Azure AI Vision",
    "blip": "BLIP",
    "offline": _noop("the offline captioner"),
}

_BAR_CELLS: Final = 10
_TITLE: Final = 100  # characters
_SHOWN_PROMPT: Final = 400  # characters; Telegram takes 1,024 UTF-16 units in all
_SHOWN_MODEL: Final = 50  # characters; a folder's name may have 255 bytes
_MINUTE: Final = 60
_MEGABYTE: Final = 1_000_000


def endings() -> Sequence[str]:
    """Every code of an ending that has a text of its own."""
    return tuple(_ENDINGS)


def waits() -> Sequence[str]:
    """Every code of something that is waited for."""
    return tuple(_WAITS)


class Texts:
    """Everything that the bot says in one language.

    Attributes:
        commands: the menu: names and what they do.
        start: the answer to /start.
        help: the answer to /help.
        cannot_use: to a message that is no photo.
        unknown_command: to a command that there is not.
        went_wrong: a request failed, and nobody knows why.
        database_unavailable: a request failed because dbservice is unavailable.
        no_room: a photo is not taken because the disk is full.
        cancel_button: on a status message.
        over: what a status message that cannot be deleted any more says instead.
        older_button: under a page of the history.
        newer_button: likewise.
        not_yours: a button was pressed by someone else.
        gone: a button's generation is no longer there.
        cancelled: a generation was cancelled.
        too_late: it was done already.
        no_history: there is none in this chat.
        no_work: nothing is unfinished in this chat.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings; `NullTranslations` leaves them in English."""
        self._ = _ = translations.gettext
        self.ngettext = translations.ngettext
        self.commands = [(name, _(description)) for name, description in _COMMANDS]
        self.start = _(
            "Send me a photo. I'll tell you in one sentence what I see, and paint a new picture "
            "from that sentence. If you write something with the photo, I'll paint that, too.\n\n"
            "/help says what else I can do."
        )
        self.help = "\n".join(
            [
                _("Send me a photo, or an image as a file (JPEG, PNG or WebP)."),
                "",
                *(f"/{name} - {text}" for name, text in self.commands if name != "help"),
            ]
        )
        self.cannot_use = _(
            "I can only work with photos and images (JPEG, PNG or WebP). Send me one!"
        )
        self.unknown_command = _("I don't know that command. /help has the list.")
        self.went_wrong = _("Something went wrong on my side. Please try again.")
        self.database_unavailable = _(
            "My storage isn't answering just now. Please try again in a moment."
        )
        self.no_room = _(
            "I have no room for more photos just now. Whoever runs this bot has to look at it; "
            "please send this one again later."
        )
        self.cancel_button = _("Cancel")
        self.over = _("No longer waiting.")
        self.older_button = _("Older »")
        self.newer_button = _("« Newer")
        self.not_yours = _("This belongs to someone else.")
        self.gone = _("This button no longer works.")
        self.cancelled = _("Cancelled.")
        self.too_late = _("Too late: this picture is already done.")
        self.no_history = _("You haven't sent me any photos here yet.")
        self.no_work = _("You have no pictures in progress here.")

    def caption(self, caption: db.Caption) -> str:
        """The reply that tells what the photo shows, how sure that is, and who says so."""
        known = _CAPTIONERS.get(caption.captioner)
        captioner = self._(known) if known else caption.captioner
        if not caption.HasField("confidence"):
            template = self._("{caption}\n\n(says {captioner})")
            return template.format(caption=caption.text, captioner=captioner)
        return self._("{caption}\n\n({confidence:.0%} sure, says {captioner})").format(
            caption=caption.text, confidence=caption.confidence, captioner=captioner
        )

    def picture(self, prompt: str, seed: int, model: str) -> str:
        """What stands under a finished picture."""
        prompt, shown_model = _shortened(prompt, _SHOWN_PROMPT), _shortened(model, _SHOWN_MODEL)
        template = self._("{prompt}\n\nseed {seed}, model {model}")
        if model == SMALL_MODEL:
            template = self._(
                "{prompt}\n\nseed {seed}, model {model}, which draws {size}; enlarged"
            )
        return template.format(prompt=prompt, seed=seed, model=shown_model, size=SMALL_MODEL_SIZE)

    def ending(self, code: str) -> str:
        """How a generation without a picture ended."""
        return self._(_ENDINGS.get(code, _ENDINGS["internal-error"]))

    def waiting(self, code: str) -> str:
        """What a generation waits for while a service is unavailable."""
        return self._(_WAITS[code])

    def captioner_line(self, captioner: str, health: Health) -> str:
        """How the captioner is, in the answer to /status."""
        return self._("Captions ({captioner}): {health}").format(
            captioner=captioner, health=self._(_HEALTH[health])
        )

    def generator_line(self, health: Health) -> str:
        """How the generator is, in the answer to /status."""
        return self._("Pictures: {health}").format(health=self._(_HEALTH[health]))

    def kept_line(self, kept: int, most: int) -> str:
        """How many bytes are kept of the user, and may be, in the answer to /status."""
        return self._("Kept of yours: {kept} of {most} MB").format(
            kept=round(kept / _MEGABYTE), most=round(most / _MEGABYTE)
        )

    def progress(self, job: Job) -> str:
        """The status message: the place in the queue, or a bar, percent and the time left."""
        text = self._in_queue(job.position) if job.state == "queued" else self._bar(job)
        if job.eta_seconds is None:
            return text
        return self._("{progress}, about {duration}").format(
            progress=text, duration=self._duration(job.eta_seconds)
        )

    def cancelled_some(self, cancelled: int, too_late: int) -> str:
        """The answer to /cancel where it found something."""
        text = self.ngettext(
            "Cancelled {count} picture.", "Cancelled {count} pictures.", cancelled
        ).format(count=cancelled)
        if not too_late:
            return text
        late = self.ngettext("{count} was already done.", "{count} were already done.", too_late)
        return f"{text} {late.format(count=too_late)}"

    def and_more(self, count: int) -> str:
        """What a list that is too long ends with."""
        return self._("... and {count} more").format(count=count)

    def status_line(self, number: int, item: db.Item, job: Job | None) -> str:
        """One unfinished generation in the answer to /status."""
        known = job is not None and job.state in {"queued", "running"}
        state = self.progress(job) if job is not None and known else self._state(item)
        return self._("{number}. {title}: {state}").format(
            number=number, title=_title(item) or self._("your photo"), state=state
        )

    def history_line(self, number: int, item: db.Item) -> str:
        """One generation in the answer to /history."""
        when = item.generation.created_at.ToDatetime().strftime("%Y-%m-%d %H:%M")
        return self._("{number}. {when} UTC, {state}: {title}").format(
            number=number,
            when=when,
            state=self._state(item),
            title=_title(item) or self._("a photo"),
        )

    def no_picture(self, item: db.Item) -> str:
        """Why a generation in the history has no picture to open."""
        if item.generation.HasField("closed_at"):
            return self._("There is no picture: {state}.").format(state=self._state(item))
        return self._("No picture yet: {state}.").format(state=self._state(item))

    def _state(self, item: db.Item) -> str:
        return self._(_STATES[item.generation.state])

    def _in_queue(self, position: int) -> str:
        if position == 0:
            return self._("Next in line")
        return self.ngettext(
            "Waiting: {count} picture before yours",
            "Waiting: {count} pictures before yours",
            position,
        ).format(count=position)

    def _bar(self, job: Job) -> str:
        done = job.step / job.steps if job.steps else 0.0
        cells = int(done * _BAR_CELLS)
        bar = "▓" * cells + "░" * (_BAR_CELLS - cells)
        return self._("Painting {bar} {done:.0%}").format(bar=bar, done=done)

    def _duration(self, seconds: float) -> str:
        """A rough length of time."""
        if seconds < _MINUTE:
            return self._("{count} s").format(count=max(1, round(seconds)))
        return self._("{count} min").format(count=round(seconds / _MINUTE))


def _title(item: db.Item) -> str:
    words = " ".join((item.photo.caption.text or item.photo.user_text).split())
    return _shortened(words, _TITLE)


def _shortened(text: str, most: int) -> str:
    """At most so many characters; cut between words, or within one where there is no space near."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    at_space, _, word = cut.rpartition(" ")
    return f"{(at_space if len(word) < most // 4 else cut).rstrip()}…"
