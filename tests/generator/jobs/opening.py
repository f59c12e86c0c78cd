"""The job queue without a service around it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from generator.jobs.database import JobDatabase
from generator.jobs.defaults import OfferedPresets
from generator.jobs.leases import Leases
from generator.jobs.maintenance import Maintenance
from generator.jobs.messages import JobRequest
from generator.jobs.queue import JobQueue
from generator.jobs.results import Results, StoredImage
from generator.jobs.tables import Job
from generator.jobs.uploads import Uploads
from lookalike.blobs.local import LocalBlobs

IMAGE = StoredImage("00/key-1-00000000", 8, 8, "0" * 64)


@dataclass
class Clock:
    """Stands still unless a test moves it."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class OpenQueue:
    """A queue on a clock of the test's own."""

    database: JobDatabase
    queue: JobQueue
    leases: Leases
    maintenance: Maintenance
    uploads: Uploads
    clock: Clock
    names: dict[UUID, str] = field(default_factory=dict)

    async def add(self, name: str, owner: str = "") -> UUID:
        """A job whose prompt is its name."""
        identity = uuid4()
        await self.queue.submit(identity, JobRequest(name, owner=owner))
        self.names[identity] = name
        return identity

    async def claims(self, count: int = 1, leases: Leases | None = None) -> list[Job]:
        claimed = leases or self.leases
        return await claimed.claim("model", lambda _order, _waiting: count, count)

    async def claim(self) -> Job:
        (job,) = await self.claims()
        return job

    async def holds(self, claim: Job) -> bool:
        return await self.leases.held([claim]) == {claim.id}

    async def order(self) -> list[str]:
        """The unfinished jobs as the positions have them."""
        _, line = await self.queue.look_up(list(self.names))
        return [self.names[queued.id] for queued in line.jobs]

    async def pass_seconds(self, seconds: float, *healthy: Job) -> int:
        """Time passes, and these claims' leases are renewed; how many attempts broke meanwhile."""
        broken, end = 0, self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now = min(end, self.clock.now + self.leases.renew_seconds)
            broken += await self.leases.renew(healthy)
        return broken

    async def state(self, identity: UUID) -> str:
        job = await self.queue.get(identity)
        assert job is not None
        return job.state

    async def image_keys(self) -> set[str | None]:
        found, _ = await self.queue.look_up(list(self.names))
        return {job.image_key for job in found.values()} - {None}


@asynccontextmanager
async def open_queue(folder: Path, url: str, *, max_attempts: int = 3) -> AsyncGenerator[OpenQueue]:
    clock = Clock()
    database = JobDatabase(url, clock)
    results = Results(LocalBlobs(folder / "results"), ())
    uploads = Uploads(database, results, (), fence=0)
    try:
        yield OpenQueue(
            database,
            JobQueue(database, OfferedPresets(), 1000),
            Leases(database, "me", max_attempts),
            Maintenance(database, results, uploads, ()),
            uploads,
            clock,
        )
    finally:
        await database.close()
