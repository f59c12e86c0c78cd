"""A disk that is full: what was computed waits in memory, and nothing is computed twice."""

from collections.abc import Generator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.disks import fill, small_disk
from tests.generator.stack import XML, Stack, code, job, serving
from tests.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path, None, None]:
    """A file system of 4 MB; only root may make one."""
    with small_disk(tmp_path / "disk", "4m") as disk:
        yield disk


async def _waits(stack: Stack) -> bool | None:
    """Whether a picture waits for room."""
    return True if stack.generator.progress.disk_full else None


async def _is_idle(stack: Stack) -> bool | None:
    return None if stack.generator.progress.batches else True


async def test_what_a_full_disk_does_not_take_waits_and_is_computed_once(
    disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(disk, lease_seconds=0.2) as stack:
        identity, waiting = await stack.put(), await stack.put()
        await stack.reach(identity, "running")
        filler = fill(disk)
        stack.executor.go()
        await eventually(lambda: _waits(stack))
        stack.now[0] += 3600.0  # far beyond the lease
        for _ in range(20):
            response = await stack.client.post("/generate_image", content=job(), headers=XML)
            assert (response.status_code, code(response)) == (507, "disk-full")
            assert response.headers["Retry-After"] == "30"
            response = await stack.client.put(f"/v1/jobs/{identity}", content=job(), headers=XML)
            assert response.status_code == 202, "this one is known"
            assert (await stack.get(identity)).get("state") == "running"
            assert (await stack.client.get("/health/live")).status_code == 200
        assert len(stack.executor.tasks) == 1
        filler.unlink()
        assert (await stack.reach(identity, "finished")).get("attempt") == "1"
        await stack.reach(waiting, "finished")
        await stack.reach(await stack.put(), "finished")
        assert len(stack.executor.tasks) == 3
    assert caplog.text.count("Cannot write, will try again") == 1
    assert "Traceback" not in caplog.text


async def test_results_on_a_full_disk_of_their_own_refuse_new_jobs_as_well(
    disk: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    async with serving(home, results_url=(disk / "results").as_uri()) as stack:
        identity = await stack.put()
        await stack.reach(identity, "running")
        filler = fill(disk)
        stack.executor.go()
        await eventually(lambda: _waits(stack))
        response = await stack.client.put(f"/v1/jobs/{uuid4()}", content=job(), headers=XML)
        assert (response.status_code, code(response)) == (507, "disk-full")
        # Nobody wants the picture any more: it waits no longer, disk or no disk.
        await stack.client.delete(f"/v1/jobs/{identity}")
        await eventually(lambda: _is_idle(stack))
        filler.unlink()
        await stack.reach(await stack.put(), "finished")
        assert (await stack.get(identity)).get("state") == "cancelled"
        assert len(stack.executor.tasks) == 2
        assert len(stack.images) == 1
