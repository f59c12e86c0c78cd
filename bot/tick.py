"""The tick: leases unfinished work and starts the stage that each item's state calls for.

It is one APScheduler job. It never waits for the work itself: every item has at most one task, and
an item whose task runs is left alone.
"""

import asyncio
import logging
import math
import time
from collections.abc import Coroutine
from dataclasses import dataclass

from bot.clients.dbservice import Conflict, DatabaseError, DatabaseUnavailable, LeaseLost, NotFound
from bot.clients.generator import Job
from bot.messenger import CannotDeliver, Moved, TelegramAway
from bot.services import Services
from bot.stages import FOLLOWED, STAGES, follow, status_message
from bot.stages.work import Later, Work
from bot.texts import en
from protos.lookalike.db.v1 import db_pb2 as db

_log = logging.getLogger(__name__)

_LONGEST_WAIT = 60.0  # seconds between two tries
_LONGEST_ASKED_WAIT = 300.0  # of a Retry-After
_MOST_SURPRISES = 5  # unexpected errors of one item in a row, before it is failed
_STOP_SECONDS = 5.0

_EXPECTED = (
    Later,
    TelegramAway,
    Moved,
    CannotDeliver,
    DatabaseUnavailable,
    LeaseLost,
    Conflict,
    NotFound,
)


@dataclass
class _Patience:
    """How often an item was put off in a row, and when it is due again (monotonic seconds)."""

    tries: int = 0
    surprises: int = 0
    due: float = 0.0


class Tick:
    """Holds what is under way in this process; everything durable is dbservice's."""

    def __init__(self, services: Services, bot_id: int, holder: str) -> None:
        """`holder` is this process's name in leases, the same after a restart."""
        self._services = services
        self._bot_id = bot_id
        self._holder = holder
        self._starting = True
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._under_way: dict[str, Work] = {}
        self._following: asyncio.Task[None] | None = None
        self._followed: set[str] = set()  # what the request under way asks about
        self._patience: dict[str, _Patience] = {}
        self._database_well = True
        self._again = False
        self.last_success = -math.inf
        """When a tick last reached dbservice, in seconds of `time.monotonic`."""

    def ask_again(self) -> None:
        """There is news. A tick that is under way may have missed it, so it takes another look."""
        self._again = True

    async def run(self) -> None:
        """One tick: one request, then a task for each item that has none."""
        self._again = True
        while self._again:
            self._again = False
            await self._look()

    async def _look(self) -> None:
        # What the lease says of these is old news: something is done about them.
        busy = {*self._tasks, *self._followed}
        works = await self._lease()
        if works is None:
            return
        self._forget_others(works)
        now = time.monotonic()
        for work in works:
            if work.state == db.GENERATION_STATE_CANCELLED and work.id in self._under_way:
                self._under_way[work.id].abandoned.set()
        free = [
            work
            for work in works
            if work.id not in busy and self._patience.get(work.id, _Patience()).due <= now
        ]
        for work in free:
            if work.state not in FOLLOWED:
                self._start(work, self._work_on(work))
        followed = [work for work in free if work.state in FOLLOWED]
        if followed and not self._asking():
            self._followed = {work.id for work in followed}
            self._following = asyncio.create_task(self._follow(followed))

    async def stop(self) -> None:
        """Lets what is under way come to an end, but not for long."""
        deadline = time.monotonic() + _STOP_SECONDS
        while tasks := [*self._tasks.values(), *self._asking()]:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            await asyncio.wait(tasks, timeout=left)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _asking(self) -> list[asyncio.Task[None]]:
        """The request about all that is followed, while it is under way."""
        return [self._following] if self._following and not self._following.done() else []

    async def _lease(self) -> list[Work] | None:
        request = db.LeaseGenerationsRequest(
            bot_id=self._bot_id, holder=self._holder, starting=self._starting
        )
        database = self._services.database
        try:
            response = await database.lease_generations(request)
        except DatabaseError as error:
            if self._database_well:
                _log.warning("dbservice is in trouble: %s", error)
            self._database_well = False
            return None
        if not self._database_well:
            _log.info("dbservice is back.")
        self._database_well = True
        self._starting = False
        self.last_success = time.monotonic()
        return [Work(database, lease.item, lease.fence) for lease in response.leases]

    def _forget_others(self, works: list[Work]) -> None:
        """Drops the patience with what is no longer ours."""
        ours = {work.id for work in works}
        self._patience = {key: value for key, value in self._patience.items() if key in ours}

    def _start(self, work: Work, doing: Coroutine[None, None, None]) -> None:
        def end(_task: asyncio.Task[None]) -> None:
            del self._tasks[work.id], self._under_way[work.id]

        self._under_way[work.id] = work
        self._tasks[work.id] = asyncio.create_task(doing)
        self._tasks[work.id].add_done_callback(end)

    async def _follow(self, works: list[Work]) -> None:
        try:
            jobs = await follow.ask(works, self._services)
        except Exception:  # noqa: BLE001, as the comment says
            # The next tick asks again.
            _log.exception("An error of ours, while the generator was asked")
            jobs = {}
        self._followed = set()
        # Whose status message has waited longest for an edit comes first: a chat's pace may allow
        # only one of them.
        works.sort(key=lambda work: self._services.shown.get(work.id, ("", 0.0))[1])
        for work in works:
            self._start(work, self._work_on(work, jobs.get(work.id), followed=True))

    async def _work_on(self, work: Work, job: Job | None = None, *, followed: bool = False) -> None:
        """Takes an item as far as it goes, and settles what stopped it."""
        try:
            await self._run_stages(work, job, followed=followed)
        except _EXPECTED as error:
            await self._settle(work, error)
        except Exception:  # noqa: BLE001, an error of ours must not stop the other items
            _log.exception("An error of ours, while %s was in state %s", work.id, work.state)
            await self._be_surprised(work)

    async def _run_stages(self, work: Work, job: Job | None, *, followed: bool) -> None:
        while not work.closed:
            before = work.state
            if followed:
                await follow.run(work, self._services, job)
            elif stage := STAGES.get(before):
                await stage(work, self._services)
            followed = False
            if work.state == before:
                return
            self._patience.pop(work.id, None)

    async def _settle(self, work: Work, error: Exception) -> None:
        match error:
            case Later():
                await self._put_off(work, error)
            case TelegramAway():
                _log.info("Telegram is not to be had for %s: %s", work.id, error)
                await self._put_off(work, Later(None, error.retry_after))
            case Moved():
                await self._move(work, error.chat_id)
            case CannotDeliver():
                await self._give_up(work, error)
            case LeaseLost() | Conflict() | NotFound():
                # Cancelled, forgotten, or another's by now: the next tick brings what is true.
                _log.info("%s is out of our hands: %s", work.id, error)
            case _:
                _log.info("dbservice did not take a record for %s: %s", work.id, error)
                await self._put_off(work, Later(None))

    async def _put_off(self, work: Work, later: Later) -> None:
        patience = self._patience.setdefault(work.id, _Patience())
        wait = min(_LONGEST_WAIT, 2.0 ** min(patience.tries, 10))
        if later.retry_after is not None:
            wait = min(_LONGEST_ASKED_WAIT, max(wait, later.retry_after))
        patience.tries += 1
        patience.due = time.monotonic() + wait
        if later.code is not None and patience.tries > 1:  # a hiccup is not worth a message
            await self._say(work, en.waiting(later.code))

    async def _say(self, work: Work, text: str) -> None:
        """Shows why the item waits, if that can be had just now."""
        try:
            await status_message.show(work, self._services, text)
        except (DatabaseError, TelegramAway, CannotDeliver, Moved) as error:
            _log.info("The status message of %s has to wait: %s", work.id, error)

    async def _move(self, work: Work, chat_id: int) -> None:
        try:
            await work.record(chat_id=chat_id)
        except DatabaseError as error:
            _log.info("The move of chat %d has to wait: %s", work.photo.chat_id, error)
        else:
            self._services.wake()

    async def _give_up(self, work: Work, reason: CannotDeliver) -> None:
        _log.info("The chat of %s takes no message: %s", work.id, reason)
        try:
            await work.advance(
                db.GENERATION_STATE_UNDELIVERABLE,
                error=db.Error(code="undeliverable", message=str(reason)),
            )
        except DatabaseError as error:
            _log.info("Giving up %s has to wait: %s", work.id, error)
        else:
            self._services.wake()

    async def _be_surprised(self, work: Work) -> None:
        await self._put_off(work, Later(None))
        patience = self._patience[work.id]
        patience.surprises += 1
        if patience.surprises < _MOST_SURPRISES:
            return
        try:
            await work.fail("internal-error", "unexpected errors in a row; see the log")
        except DatabaseError as error:
            _log.warning("%s cannot be failed either: %s", work.id, error)
        else:
            del self._patience[work.id]
            self._services.wake()
