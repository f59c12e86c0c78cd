"""The pictures of jobs, where they are stored."""

import errno
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import pytest

from generator.jobs.results import Results
from generator.tasks import Picture
from lookalike.blobs import local
from lookalike.blobs.local import LocalBlobs
from tests.generator.stack import Stack

_PICTURE = Picture(b"png", 8, 8)


def test_a_new_folder_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(local, "sync_folder", synced.append)
    LocalBlobs(tmp_path / "new")
    assert tmp_path in synced


async def test_what_was_put_is_read_and_what_is_damaged_is_not(tmp_path: Path) -> None:
    results = Results(LocalBlobs(tmp_path), ())
    image = await results.put(str(uuid4()), 7, _PICTURE)
    assert await results.read(image.key, image.sha256) == b"png"
    (tmp_path / image.key).write_bytes(b"other")
    with pytest.raises(FileNotFoundError, match="damaged"):
        await results.read(image.key, image.sha256)
    await results.discard([image.key])
    with pytest.raises(FileNotFoundError):
        await results.read(image.key, image.sha256)


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
