"""What the stages and handlers work with, put together once at start."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from telegram import Message

from bot.captioners.base import Captioner
from bot.clients.dbservice import DatabaseClient
from bot.clients.generator import GeneratorClient, Job
from bot.messenger import Messenger
from bot.texts import en

_log = logging.getLogger(__name__)


class Seen:
    """What was last seen of a service. Only a change is worth a line in the log.

    Attributes:
        words: how it was, for the chat.
    """

    def __init__(self, name: str) -> None:
        """`name` stands in the log."""
        self.words = en.NOT_ASKED
        self._name = name
        self._in_trouble = False

    def well(self) -> None:
        """It has just answered as it should."""
        if self._in_trouble:
            _log.info("The %s is back.", self._name)
        self._in_trouble = False
        self.words = en.WORKING

    def in_trouble(self, words: str, reason: object) -> None:
        """It has just not answered, or not as it should; `words` are for the chat."""
        if self.words != words:
            _log.warning("The %s is in trouble: %s", self._name, reason)
        self._in_trouble = True
        self.words = words


@dataclass
class Services:
    """Everything that a stage may use.

    Attributes:
        database: dbservice.
        generator: the generator.
        captioner: the one captioner chosen at start.
        messenger: Telegram.
        wake: starts the next tick now.
        notice: what /start and /help end with.
        seen_captioner: how the captioner was last seen.
        seen_generator: how the generator was last seen.
        jobs: what the generator last said of each generation under way.
        accepted: what Telegram accepted but dbservice has not recorded yet, by generation and
            kind of message, so that only the record is tried again.
        shown: the text that each status message shows, and when it was last edited (seconds of
            `time.monotonic`).
        dismissed: generations whose status message the user has deleted.
        downloading: bounds how many photos are in memory at a time, up to 20 MB each.
        decoding: lets one photo be decoded at a time, which may take a gigabyte.
        captioning: bounds how many captions are asked for at a time.
    """

    database: DatabaseClient
    generator: GeneratorClient
    captioner: Captioner
    messenger: Messenger
    wake: Callable[[], None]
    notice: str = ""
    seen_captioner: Seen = field(default_factory=lambda: Seen("captioner"))
    seen_generator: Seen = field(default_factory=lambda: Seen("generator"))
    jobs: dict[str, Job] = field(default_factory=dict)
    accepted: dict[tuple[str, str], Message] = field(default_factory=dict)
    shown: dict[str, tuple[str, float]] = field(default_factory=dict)
    dismissed: set[str] = field(default_factory=set)
    downloading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    decoding: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    captioning: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(16))

    def show(self, generation_id: str, text: str) -> None:
        """Remembers what a status message shows now."""
        self.shown[generation_id] = (text, time.monotonic())

    def forget(self, generation_id: str) -> None:
        """Lets go of what is remembered of a closed generation."""
        self.jobs.pop(generation_id, None)
        self.shown.pop(generation_id, None)
        self.dismissed.discard(generation_id)
        for kind in ("caption", "status", "picture", "ending"):
            self.accepted.pop((generation_id, kind), None)
