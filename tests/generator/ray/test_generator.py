"""A generator whose pictures are computed behind Ray Serve's proxy, and what costs it attempts."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from generator.executors.ray import RayExecutor
from tests.generator.ray.proxy import Listener, Proxy, proxied
from tests.generator.scripted import ScriptedExecutor, png_of
from tests.generator.stack import TOKEN, Stack, job, serving, text
from tests.waiting import eventually


class Setting:
    """A replica, a proxy and a generator."""

    def __init__(self, opened: AsyncExitStack, folder: Path) -> None:
        self.replica = ScriptedExecutor()
        self.listener = Listener()
        self._opened = opened
        self._folder = folder

    async def start(self, *, stale_seconds: float = 600.0) -> None:
        self.proxy: Proxy = await self._opened.enter_async_context(proxied(self.replica))
        self._opened.callback(self.replica.go)
        executor = RayExecutor(self.proxy.url, TOKEN, [self.listener])
        generator = serving(
            self._folder, executor, stale_seconds=stale_seconds, observers=[self.listener]
        )
        self.stack: Stack = await self._opened.enter_async_context(generator)

    async def computing(self, step: int) -> None:
        """The replica computes, and somebody is told."""
        self.replica.step(step)

        async def told() -> bool | None:
            jobs = self.stack.generator.progress.jobs
            return any(each.step >= step for each in jobs) or None

        await eventually(told)


@pytest.fixture
async def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Setting]:
    monkeypatch.setattr("generator.executors.ray._PERIOD_SECONDS", 0.05)
    async with AsyncExitStack() as opened:
        yield Setting(opened, tmp_path)


async def test_a_job_with_all_that_is_told_of_it(setting: Setting) -> None:
    await setting.start()
    stack, replica = setting.stack, setting.replica
    sha256 = await stack.upload()
    identity = await stack.put(job(steps=10, init=(sha256, 0.5)))
    replica.previews[2] = b"\xff\xd8 a preview"
    await setting.computing(2)
    told = await stack.at_step(identity, 2)
    assert told.find("{*}preview") is not None
    preview = await stack.client.get(f"/v1/jobs/{identity}/preview")
    assert preview.content == replica.previews[2]
    replica.go()
    told = await stack.reach(identity, "finished")
    assert told.get("attempt") == "1"
    assert text(told, "model") == "scripted"
    picture = await stack.client.get(f"/v1/jobs/{identity}/image")
    assert picture.content == png_of(replica.tasks[0])


async def test_a_cancel_ends_the_computation_within_a_step(setting: Setting) -> None:
    await setting.start()
    identity = await setting.stack.put()
    await setting.computing(1)
    assert (await setting.stack.client.delete(f"/v1/jobs/{identity}")).status_code == 200

    async def idle() -> bool | None:
        return None if setting.proxy.painter._turn.locked() else True

    await eventually(idle)
    assert (await setting.stack.get(identity)).get("state") == "cancelled"


async def test_a_broken_connection_costs_one_attempt_and_a_proxy_that_is_away_none(
    setting: Setting,
) -> None:
    await setting.start()
    identity = await setting.stack.put()
    await setting.computing(1)
    await setting.proxy.stop()

    async def away() -> bool | None:
        return bool(setting.listener.heard) or None

    await eventually(away)
    waiting = await setting.stack.row(identity)
    assert (waiting.state, waiting.attempts) == ("queued", 1)
    setting.replica.go()
    await setting.proxy.start()
    assert (await setting.stack.reach(identity, "finished")).get("attempt") == "2"
    assert setting.listener.heard[-1] == ""
    assert len(setting.stack.images) == 1


async def test_what_makes_no_progress_is_given_up_and_the_generator_is_well(
    setting: Setting,
) -> None:
    await setting.start(stale_seconds=1.0)
    stack = setting.stack
    identity = await stack.put()
    await setting.computing(1)

    async def given_up() -> bool | None:
        return bool(setting.listener.broken) or None

    await eventually(given_up)
    (reason,) = setting.listener.broken
    assert reason == f"step 2 of 20 of job {identity} took more than 1 s"
    assert (await stack.client.get("/health/live")).status_code == 200
    setting.replica.go()
    assert (await stack.reach(identity, "finished")).get("attempt") == "2"


@pytest.mark.long
@pytest.mark.slow
async def test_who_waits_for_a_turn_is_not_hurried(setting: Setting) -> None:
    await setting.start(stale_seconds=3.0)
    stack = setting.stack
    ids = [await stack.put(job(str(number), steps=40)) for number in range(2)]
    for step in range(1, 10):
        setting.replica.step()
        await stack.at_step(ids[0], step)
        await asyncio.sleep(0.5)  # a step may take 3 s, and so may all else that is watched
    assert (await stack.get(ids[1])).get("state") == "running"
    etas = [float(text(await stack.get(each), "eta-seconds") or "nan") for each in ids]
    assert etas[1] > etas[0], "it waits for the first one"
    setting.replica.go()
    for each in ids:
        assert (await stack.reach(each, "finished")).get("attempt") == "1"
    assert setting.listener.broken == []


async def test_a_stop_gives_all_back_unharmed(setting: Setting) -> None:
    await setting.start()
    ids = [await setting.stack.put(job(str(number))) for number in range(2)]
    for identity in ids:
        await setting.stack.reach(identity, "running")
    assert await setting.stack.stop(*ids) == [("queued", 0)] * 2
