"""The tick: leases unfinished work and takes each item through the stages that its state calls for.

It never waits for the work itself: every item has at most one task, and an item whose task is under
way is left alone. What a process may have died of comes first, each alone; see `bot.work.suspects`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from bot.clients.errors import DatabaseError, NotFound
from bot.observers import Observer, StageBegun, StageEnded, timed
from bot.services import Services
from bot.stages.table import STAGES, Stage
from bot.work import suspects
from bot.work.item import WorkItem
from bot.work.leasing import Leasing
from bot.work.settling import settle
from lookalike import tracing
from protos.lookalike.db.v1 import db_pb2 as db

_STOP_SECONDS = 5.0

_ABANDONED = frozenset({db.GENERATION_STATE_CANCELLED, db.GENERATION_STATE_UNDELIVERABLE})
"""Nobody waits for it any more: its user has cancelled it, is being forgotten, or is gone."""

_LOOKING = "follow"
"""The stage that runs with each tick as long as a picture waits. A span of each time would be most
of a trace, and tell nothing; what it does is traced."""


class Tick:
    """Holds the tasks that are under way in this process; everything durable is dbservice's."""

    def __init__(self, services: Services, leasing: Leasing) -> None:
        self._services = services
        self._leasing = leasing
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._items: dict[str, WorkItem] = {}
        self._alone = False

    async def run(self) -> None:
        """One tick: one request, then a task for each item that is due and has none."""
        # What the lease says of these is old news: something is done about them.
        under_way = {key: item.photo.chat_id for key, item in self._items.items()}
        due = []
        for place, item in enumerate(await self._leasing.lease(under_way)):
            item.memory.place = place
            if item.state in _ABANDONED and not item.memory.abandoned.is_set():
                item.memory.abandoned.set()
                item.memory.backoff.reset()
            if item.id not in under_way and not item.memory.backoff.seconds:
                due.append(item)
        suspected = [item for item in due if suspects.is_suspect(item)]
        if alone := [item for item in suspected if not suspects.is_searching(item)]:
            if not self._tasks:
                self._start(alone, self._work_on_each_alone(alone))
        elif not self._alone:
            for item in due:
                work = self._work_on_suspect if item in suspected else self._work_on
                self._start([item], _traced(item, work))

    async def stop(self, *beside: Awaitable[None]) -> None:
        """Lets what is under way come to an end, but not for long.

        What stops beside it has stopped before the leases are given back, and the chats with them.
        """
        stopping = asyncio.gather(*beside)
        tasks = set(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await stopping
        await self._leasing.release()

    def _start(self, items: Sequence[WorkItem], work: Coroutine[Any, Any, None]) -> None:
        ids = [item.id for item in items]
        task = asyncio.create_task(work)
        self._tasks.update(dict.fromkeys(ids, task))
        self._items.update(zip(ids, items, strict=True))

        def forget(_task: asyncio.Task[None]) -> None:
            for each in ids:
                del self._tasks[each], self._items[each]

        task.add_done_callback(forget)

    async def _work_on_each_alone(self, items: Sequence[WorkItem]) -> None:
        """Works on what a process may have died of, one after the other and on nothing else."""
        self._alone = True
        try:
            for item in items:
                await _traced(item, self._work_on_suspect)
        finally:
            self._alone = False

    async def _work_on_suspect(self, item: WorkItem) -> None:
        """Works on what a process may have died of, and says so before and after."""
        try:
            await suspects.begin(item)
        except DatabaseError as error:
            await settle(item, self._services.messenger, error)
        else:
            await self._work_on(item)
            await suspects.end(item)

    async def _work_on(self, item: WorkItem) -> None:
        """Takes an item as far as it goes, and settles what stopped it."""
        while (error := await self._run_stages(item)) is not None:
            if not await settle(item, self._services.messenger, error):
                break
        if item.closed or isinstance(error, NotFound):
            self._services.memories.drop(item.id)

    async def _run_stages(self, item: WorkItem) -> Exception | None:
        """Goes on for as long as the state calls for another stage; gives what stopped it."""
        last: Stage | None = None
        try:
            while not item.closed and (stage := STAGES[item.state]) is not last:
                last, before = stage, item.state
                await self._run_stage(item, stage)
                if item.state != before:
                    item.memory.backoff.reset()
        except Exception as error:  # noqa: BLE001, an error of one item must not stop the others
            return error
        return None

    async def _run_stage(self, item: WorkItem, stage: Stage) -> None:
        name = stage.__module__.rpartition(".")[2]
        for each in self._services.observers:
            each.stage_begun(StageBegun(name, item.id))

        def announce(observer: Observer, seconds: float, outcome: str) -> None:
            observer.stage_ended(StageEnded(name, item.id, seconds, outcome))

        span = tracing.NOOP
        if name != _LOOKING:
            attributes = {"lookalike.generation.id": item.id, "lookalike.photo.id": item.photo.id}
            span = tracing.span(f"stage {name}", attributes)
        with span, timed(self._services.observers, announce):
            await stage(item, self._services)


async def _traced(item: WorkItem, work: Callable[[WorkItem], Awaitable[None]]) -> None:
    """Works on an item as a part of the trace of what asked for it."""
    with tracing.within(item.generation.traceparent):
        await work(item)
