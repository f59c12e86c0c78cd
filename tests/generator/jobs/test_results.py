"""The pictures of jobs, where they are stored."""

import errno
import os
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from generator.jobs.maintenance import Maintenance
from generator.jobs.results import Results
from generator.tasks import Picture
from lookalike import blobs
from lookalike.blobs import LocalBlobs
from tests.generator.stack import Stack

_PICTURE = Picture(b"png", 8, 8)


def test_a_new_folder_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(blobs, "sync_folder", synced.append)
    LocalBlobs(tmp_path / "new")
    assert tmp_path in synced


async def test_what_was_put_is_read_and_what_is_damaged_is_not(tmp_path: Path) -> None:
    results = Results(LocalBlobs(tmp_path), ())
    image = await results.put(uuid4(), 7, _PICTURE)
    assert await results.read(image.key, image.sha256) == b"png"
    (tmp_path / image.key).write_bytes(b"other")
    with pytest.raises(FileNotFoundError, match="damaged"):
        await results.read(image.key, image.sha256)
    await results.discard([image.key])
    with pytest.raises(FileNotFoundError):
        await results.read(image.key, image.sha256)


async def test_a_sweep_takes_what_no_job_names_once_it_is_old(stack: Stack) -> None:
    stack.executor.go()
    await stack.reach(await stack.put(), "finished")
    (named,) = stack.images
    results = Results(stack.generator.blobs, ())
    young, old = [await results.put(UUID(int=number), 1, _PICTURE) for number in (1, 2)]
    an_hour_ago = time.time() - 3600
    for file in (named, stack.results / old.key):
        os.utime(file, (an_hour_ago, an_hour_ago))
    await Maintenance(stack.generator.database, results, ()).sweep(older_than=1800)
    assert set(stack.images) == {named, stack.results / young.key}


async def test_a_picture_that_cannot_be_deleted_now_is_left_to_the_sweep(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_keys: Iterable[str]) -> None:
        raise OSError(errno.EIO, "the disk is away")

    stack.executor.go()
    identity = await stack.put()
    await stack.reach(identity, "finished")
    monkeypatch.setattr(stack.generator.blobs, "delete", fail)
    assert (await stack.client.delete(f"/v1/jobs/{identity}")).status_code == 204
    assert "the disk is away" in caplog.text
    assert len(stack.images) == 1
