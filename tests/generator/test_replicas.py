"""Several generators on one queue in PostgreSQL: what becomes of the work when one of them dies."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from generator.jobs.results import Results
from generator.tasks import Picture
from tests import postgresql
from tests.generator.process import started
from tests.generator.stack import XML, Stack, code, job, serving
from tests.generator.web.test_images import photo, put
from tests.s3 import S3
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.scale]

_SHORT_LEASES = "tests.generator.short_leases"
_REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
async def shared(
    server: postgresql.Server, template: str, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Mapping[str, Any]]:
    """Settings: a queue and a bucket for all."""
    for key, value in s3.environment.items():
        monkeypatch.setenv(key, value)
    name = server.create(template)
    yield {"database_url": server.url(name), "results_url": s3.url}
    server.drop(name)


async def test_what_a_killed_one_computed_the_other_takes_over(
    shared: Mapping[str, Any], s3: S3, tmp_path: Path
) -> None:
    more = {f"GENERATOR_{name.upper()}": value for name, value in shared.items()}
    more["PYTHONPATH"] = str(_REPOSITORY)
    async with (
        started(tmp_path / "one", _SHORT_LEASES, **more) as one,
        started(tmp_path / "two", _SHORT_LEASES, **more) as two,
    ):

        async def ready() -> bool | None:
            answers = [await each.client.get("/health/ready") for each in (one, two)]
            return True if all(answer.is_success for answer in answers) else None

        async def both_work() -> bool | None:
            return True if _workers(shared["database_url"]) == 2 else None

        await eventually(ready, seconds=120)
        ids = [await two.put(job(f"cat {n}", owner=str(n % 3), steps=20)) for n in range(6)]
        await eventually(both_work)
        one.process.kill()
        finished = [await two.reach(identity, "finished", seconds=120) for identity in ids]
        assert {each.get("attempt") for each in finished} == {"1", "2"}
        assert len(s3.keys()) == 6
        assert "Traceback" not in "".join(two.lines)


def _workers(url: str) -> int:
    """How many generators have jobs at the moment."""
    with psycopg.connect(url) as connection:
        working = "SELECT DISTINCT holder FROM jobs WHERE state = 'running'"
        return len(connection.execute(working).fetchall())


async def test_a_start_spares_what_another_one_has_not_named_yet(
    shared: Mapping[str, Any], s3: S3, tmp_path: Path
) -> None:
    async with AsyncExitStack() as opened:
        one = await opened.enter_async_context(serving(_home(tmp_path, "one"), **shared))
        identity = await one.put()
        await one.reach(identity, "running")
        # It waits on a disk, though no setting names one.
        assert (await put(one, photo())).status_code == 201
        (upload,) = s3.keys()
        results, picture = Results(one.generator.blobs, ()), Picture(b"png", 8, 8)
        fences = {str(identity): (await one.row(identity)).fence, "a" * 64: 1}
        unnamed = {(await results.put(of, fence, picture)).key for of, fence in fences.items()}
        async with serving(_home(tmp_path, "two"), **shared):
            assert {*s3.keys()} == {upload, *unnamed}
    async with serving(_home(tmp_path, "two"), **shared):
        left = {*s3.keys()}
        assert upload in left
        assert unnamed.isdisjoint(left)


def _home(folder: Path, name: str) -> Path:
    (folder / name).mkdir(exist_ok=True)
    return folder / name


@pytest.fixture
def own_server() -> Iterator[postgresql.Server]:
    """One that a test may stop."""
    with postgresql.running() as server:
        yield server


class Load:
    """Jobs that come one after the other, each until it is taken, and calls that wait."""

    def __init__(self) -> None:
        self.taken: list[UUID] = []
        self.painted = 0
        self.unavailable = 0
        self.ended = False

    async def submit(self, stack: Stack, owner: str) -> None:
        while not self.ended:
            identity = uuid4()
            while not await self._ask(stack, "PUT", f"/v1/jobs/{identity}", owner):
                pass
            self.taken.append(identity)

    async def paint(self, stack: Stack, owner: str) -> None:
        while not self.ended:
            if await self._ask(stack, "POST", "/generate_image", owner):
                self.painted += 1

    async def _ask(self, stack: Stack, method: str, path: str, owner: str) -> bool:
        """Whether it was answered; else it was told to come again."""
        body = job(owner=owner, steps=2)
        answer = await stack.client.request(method, path, content=body, headers=XML)
        if answer.status_code == 503:
            assert code(answer) == "storage-failed"
            assert int(answer.headers["Retry-After"]) > 0
            self.unavailable += 1
            await asyncio.sleep(0.05)
            return False
        assert answer.is_success, answer.text
        return True

    def has_gone_on(self) -> Callable[[], bool]:
        taken, painted = len(self.taken) + 20, self.painted + 5
        return lambda: len(self.taken) >= taken and self.painted >= painted


async def test_a_server_that_crashes_under_load_loses_no_job_and_no_attempt(
    own_server: postgresql.Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url, results = own_server.url(own_server.create()), (tmp_path / "results").as_uri()
    load = Load()
    async with AsyncExitStack() as opened:
        pair = []
        for name in ("one", "two"):
            of_its_own = serving(
                _home(tmp_path, name), time_passes=True, database_url=url, results_url=results
            )
            pair.append(await opened.enter_async_context(of_its_own))
            pair[-1].executor.go()
        async with asyncio.TaskGroup() as group:
            for number, stack in enumerate(pair * 2):
                group.create_task(load.submit(stack, f"owner {number}"))
                group.create_task(load.paint(stack, f"painter {number}"))
            for _ in range(3):
                await _until(load.has_gone_on())
                await asyncio.to_thread(own_server.crash)
                await asyncio.to_thread(own_server.start)
            await _until(load.has_gone_on())
            load.ended = True
        assert load.unavailable
        for identity in load.taken:
            assert (await pair[0].reach(identity, "finished")).get("attempt") == "1"
        assert "Traceback" not in caplog.text
        computed = sum(len(stack.executor.tasks) for stack in pair)
        answered = len(load.taken) + load.painted
        assert answered <= computed <= answered + 20  # of those who were told to come again


async def _until(condition: Callable[[], bool]) -> None:
    async def look() -> bool | None:
        return condition() or None

    await eventually(look)
