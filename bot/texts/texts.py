"""What the bot says, in one language. Plain text everywhere: nothing needs escaping.

Every sentence is a source string of gettext: `_` translates it, `ngettext` chooses its plural, and
`tables` has those that are translated when they are looked up. What is filled in comes in by name,
so that a translation can put it elsewhere.
"""

import gettext
from typing import Final

from bot.clients.documents import Job
from bot.recipes.guesses import USER, is_unsure, thing
from bot.recipes.prompts import sentence
from bot.texts.access import AccessTexts
from bot.texts.broadcast import BroadcastTexts
from bot.texts.export import ExportTexts
from bot.texts.gallery import GalleryTexts
from bot.texts.groups import GroupTexts
from bot.texts.inline import InlineTexts
from bot.texts.pictures import PictureTexts
from bot.texts.privacy import PrivacyTexts
from bot.texts.quotas import QuotaTexts
from bot.texts.settings import SettingsTexts
from bot.texts.shortening import shortened
from bot.texts.statistics import StatisticsTexts
from bot.texts.tables import CAPTIONERS, COMMANDS, ENDINGS, STATES, WAITS
from bot.texts.trouble import TroubleTexts
from protos.lookalike.db.v1 import db_pb2 as db

_BAR_CELLS: Final = 10
_TITLE: Final = 60  # characters
_MINUTE: Final = 60
_MEGABYTE: Final = 1_000_000


class Texts:
    """Everything that the bot says in one language.

    Attributes:
        language: its IETF tag.
        pictures: what is said of pictures and under them.
        access: what is said of who may use the bot.
        privacy: what is said of what is kept, of its end, and of the terms.
        inline: what is said of pictures that are shared in other chats.
        settings: what is said of languages and time zones.
        quotas: what is said of what may be begun in a day.
        statistics: what those who run the bot are told of it.
        broadcast: what is said of messages that go to everybody.
        trouble: what those who run the bot are told of its services.
        export: what is said of sending all that is kept of somebody.
        groups: what is said in groups and of their settings.
        gallery: what the gallery says.
        commands: the menu: names and what they do.
        description: what an empty chat shows; at most 512 characters.
        short_description: what the profile shows; at most 120 characters.
        start: the answer to /start.
        help: the answer to /help.
        cannot_use: to a message that is no photo.
        unknown_command: to a command that there is not.
        went_wrong: a request failed, and nobody knows why.
        database_unavailable: a request failed because dbservice is unavailable.
        no_room: a photo is not taken because the disk is full.
        cancel_button: on a status message.
        over: what a status message that cannot be deleted any more says instead.
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
        self.language = translations.info().get("language", "en")
        self.pictures = PictureTexts(translations)
        self.access = AccessTexts(translations)
        self.privacy = PrivacyTexts(translations)
        self.inline = InlineTexts(translations)
        self.settings = SettingsTexts(translations)
        self.quotas = QuotaTexts(translations)
        self.statistics = StatisticsTexts(translations)
        self.broadcast = BroadcastTexts(translations)
        self.trouble = TroubleTexts(translations)
        self.export = ExportTexts(translations)
        self.groups = GroupTexts(translations)
        self.gallery = GalleryTexts(translations)
        self.commands = [(name, _(description)) for name, description in COMMANDS]
        self.description = _(
            "Send me a photo. I'll say in a sentence what I see, and paint a new picture from it: "
            "freely, or close to your photo. Then go on with buttons and words."
        )
        self.short_description = _("Send me a photo, and I'll paint it anew.")
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
        self.over = _("That's settled.")
        self.not_yours = _("This belongs to someone else.")
        self.gone = _("This button no longer works.")
        self.cancelled = _("Cancelled.")
        self.too_late = _("Too late: this picture is already done.")
        self.no_history = _("You have no pictures here yet. Send me a photo!")
        self.no_work = _("You have no pictures in progress here.")

    def caption(self, caption: db.Caption) -> str:
        """The reply that tells what the photo shows, how sure that is, and who says so."""
        if caption.captioner == USER:
            return self._("{caption}\n\n(as you told me)").format(caption=caption.text)
        known = CAPTIONERS.get(caption.captioner)
        captioner = self._(known) if known else caption.captioner
        if not caption.HasField("confidence"):
            template = self._("{caption}\n\n(says {captioner})")
            return template.format(caption=caption.text, captioner=captioner)
        text = caption.text
        if is_unsure(caption):
            text = self._("Not sure. Perhaps {thing}?").format(thing=thing(text))
        return self._("{caption}\n\n({percent}% sure, says {captioner})").format(
            caption=text, percent=_percent(caption.confidence), captioner=captioner
        )

    def ending(self, code: str) -> str:
        """How a generation without a picture ended."""
        return self._(ENDINGS.get(code, ENDINGS["internal-error"]))

    def waiting(self, code: str) -> str:
        """What a service that is in trouble keeps waiting."""
        return self._(WAITS[code])

    def kept_line(self, kept: int, most: int) -> str:
        """How many bytes are kept of the user, and may be, in the answer to /status."""
        return self._("Kept of yours: {kept} of {most} MB").format(
            kept=round(kept / _MEGABYTE), most=round(most / _MEGABYTE)
        )

    def progress(self, job: Job) -> str:
        """How far a job is: the place in the queue, or a bar, percent and the time left."""
        text = self._in_queue(job.position) if job.state == "queued" else self._bar(job)
        if job.eta_seconds is None:
            return text
        return self._("{progress}, about {duration}").format(
            progress=text, duration=self._duration(job.eta_seconds)
        )

    def under_way(self, item: db.Item, job: Job) -> str:
        """How far a generation is, and how many pictures of a set there are."""
        count, done, progress = item.generation.pictures, len(item.members), self.progress(job)
        if count <= 1:
            return progress
        if not done:
            return self._("{count} pictures: {progress}").format(count=count, progress=progress)
        template = self._("{done} of {count} pictures: {progress}")
        return template.format(done=done, count=count, progress=progress)

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
        """One unfinished picture in the answer to /status: of what, how, and where it stands."""
        title = shortened(sentence(item), _TITLE) or self._("your photo")
        if manner := self.pictures.manner(item):
            title = self._("{title} → {manner}").format(title=title, manner=manner)
        known = job is not None and job.state in {"queued", "running"}
        state = self.under_way(item, job) if job is not None and known else self._state(item)
        return self._("{number}. {title}\n{state}").format(number=number, title=title, state=state)

    def _state(self, item: db.Item) -> str:
        return self._(STATES[item.generation.state])

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
        return self._("Painting {bar} {percent}%").format(bar=bar, percent=_percent(done))

    def _duration(self, seconds: float) -> str:
        """A rough length of time."""
        if seconds < _MINUTE:
            return self._("{count} s").format(count=max(1, round(seconds)))
        return self._("{count} min").format(count=round(seconds / _MINUTE))


def _percent(part: float) -> str:
    return f"{part:.0%}".removesuffix("%")  # languages differ in what stands before the sign
