"""What this process remembers of the generations that it works on.

All of it may be lost at any moment: what must last is dbservice's. A generation's memory is one
object, made when it is first leased and dropped when it is closed or gone, or when it was not
leased to us for longer than a lease lasts, so that it is another's by now.
"""

import asyncio
import time
from collections.abc import Callable, Container, Sequence
from typing import Final

from telegram import Message

from bot.clients.documents import Job
from bot.work.backoff import Backoff
from bot.work.message_ids import MessageIds
from protos.lookalike.db.v1 import db_pb2 as db

LEASE_SECONDS: Final = 30.0
"""How long a lease of dbservice lasts."""


class Memory:
    """What is remembered of one generation.

    Attributes:
        backoff: when it is tried again.
        place: its place in the line, when it was last leased; the first is 0.
        abandoned: set when its user has cancelled it, or is being forgotten: long waits may end.
        ids: what is known of the ids of messages; all memories share it.
        unsent: what was recorded as about to be sent, and has certainly not been.
        accepted: what Telegram accepted of it but dbservice has not recorded yet, so that only the
            record is tried again.
        shown: the text that its status message shows; "" if that is not known.
        shown_at: when that was sent or edited, in seconds of the clock; 0 if that is not known.
        dismissed: whether the user has deleted the status message.
        jobs: what the generator last said of each of its jobs, by their ids.
        survived: whether this process has worked on it alone and lived.
        caption_counted: whether this process has counted its caption.
        caption_seconds: how long the captioner took.
        leased_at: when it was last leased to us, in seconds of the clock.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, ids: MessageIds | None = None
    ) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self.ids = ids or MessageIds()
        self.unsent: db.Sending | None = None
        self.backoff = Backoff(clock)
        self.place = 0
        self.abandoned = asyncio.Event()
        self.accepted: tuple[db.Sending, Sequence[Message]] | None = None
        self.shown = ""
        self.shown_at = 0.0
        self.dismissed = False
        self.jobs: dict[str, Job] = {}
        self.survived = False
        self.caption_counted = False
        self.caption_seconds: float | None = None
        self.leased_at = clock()
        self._news: dict[str, Job] = {}
        self._submitted: float | None = None
        self._began: float | None = None
        self._finished: float | None = None

    def show(self, text: str) -> None:
        """The status message shows this text from now on."""
        self.shown = text
        self.shown_at = self._clock()

    def submitting(self) -> None:
        """Its jobs are about to be submitted."""
        self._submitted = self._began = self._finished = None
        self.jobs = {}
        self._news = {}

    def job_submitted(self, job_id: str, job: Job) -> None:
        """A job was submitted, and this was the answer."""
        if self._submitted is None:
            self._submitted = self._clock()
        self.jobs[job_id] = self._news[job_id] = job

    def job_seen(self, job_id: str, job: Job) -> None:
        """The generator was asked for a job, and this was the answer."""
        before = self.jobs[job_id].state if job_id in self.jobs else ""
        if before == "queued" and job.state == "running" and self._began is None:
            self._began = self._clock()
        if before in {"queued", "running"} and job.state == "finished":
            self._finished = self._clock()
        self.jobs[job_id] = job

    def take_news(self, job_id: str) -> Job | None:
        """The answer to the submission, once: it is as good as a look at the job."""
        return self._news.pop(job_id, None)

    @property
    def waiting_seconds(self) -> float | None:
        """From submitting the jobs to seeing one run; None: one of the two was not seen."""
        if self._submitted is None or self._began is None:
            return None
        return self._began - self._submitted

    @property
    def picture_seconds(self) -> float | None:
        """From seeing one run, or else from submitting them, to seeing the last one finished."""
        since = self._began if self._began is not None else self._submitted
        if since is None or self._finished is None:
            return None
        return self._finished - since


class Memories:
    """The memory of each generation that is leased to this process.

    Attributes:
        ids: what is known of the ids of messages.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self.ids: Final = MessageIds()
        self._memories: dict[str, Memory] = {}

    def __len__(self) -> int:
        return len(self._memories)

    def get(self, generation_id: str) -> Memory | None:
        """The memory of a generation, if there is one."""
        return self._memories.get(generation_id)

    def lease(self, generation_id: str) -> Memory:
        """The memory of a generation that has just been leased to us: its own, or a new one."""
        memory = self._memories.get(generation_id)
        if memory is None:
            memory = self._memories[generation_id] = Memory(self._clock, self.ids)
        memory.leased_at = self._clock()
        return memory

    def drop(self, generation_id: str) -> None:
        """The generation is closed or gone."""
        self._memories.pop(generation_id, None)

    def drop_unleased(self, under_way: Container[str]) -> None:
        """Drops what was not leased for longer than a lease lasts, and is not under way."""
        oldest = self._clock() - LEASE_SECONDS
        self._memories = {
            generation_id: memory
            for generation_id, memory in self._memories.items()
            if memory.leased_at >= oldest or generation_id in under_way
        }
