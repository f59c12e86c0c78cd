"""Bytes in a folder: what only a disk can do."""

import asyncio
import os
import threading
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from lookalike.blobs import CHUNK_BYTES
from lookalike.blobs.local import LocalBlobs
from lookalike.errors import StartError
from tests.lookalike.blobs.stores import Folder, keys, stored


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(folder: Path) -> LocalBlobs:
    return LocalBlobs(folder)


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("turns", range(4))
async def test_reading_that_is_given_up_leaves_no_file_open(
    blobs: LocalBlobs, folder: Path, turns: int
) -> None:
    key = await stored(blobs, bytes(3 * CHUNK_BYTES))

    async def reading() -> None:
        async with aclosing(blobs.open(key)) as pieces:
            async for _ in pieces:
                pass

    task = asyncio.create_task(reading())
    for _ in range(turns):  # of the event loop, in which it gets as far as it may
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert not [file for file in psutil.Process().open_files() if file.path.startswith(str(folder))]


async def test_a_full_disk_leaves_nothing(
    blobs: LocalBlobs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            await stored(blobs)
    assert files(folder) == []
    await stored(blobs)


async def test_bytes_and_their_way_there_are_synced_in_order(
    blobs: LocalBlobs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut there is the whole file under its key, or none."""
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def note_sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        steps.append("file" if path.is_file() else path.relative_to(folder.parent).as_posix())
        fsync(descriptor)

    def note_rename(self: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "rename", note_rename)
    key = await stored(blobs)
    assert steps == ["file", "rename", "blobs/3"]
    steps.clear()
    await blobs.delete([key])
    assert steps == ["blobs/3"]


async def test_the_next_process_goes_on_in_the_same_folder(folder: Path) -> None:
    await stored(LocalBlobs(folder))
    assert len(files(folder)) == 1
    await stored(LocalBlobs(folder))
    assert len(files(folder)) == 2


async def test_the_loop_is_free_while_the_disk_is_slow(
    blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, go_on = os.fsync, threading.Event()

    def slow(descriptor: int) -> None:
        assert go_on.wait(10)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    put = asyncio.create_task(stored(blobs))
    for _ in range(100):
        await asyncio.sleep(0)
    go_on.set()  # which a loop that waits for the disk would never come to
    await put


async def test_drafts_that_a_crash_left_go_once_they_are_old(folder: Path) -> None:
    blobs = LocalBlobs(folder)
    key = await stored(blobs)
    for name in ("young", "old"):
        (folder / "drafts" / name).write_bytes(b"half")
    Folder(folder).age("drafts/old", 3700)
    await blobs.tidy()
    assert files(folder) == [key, "drafts/young"]
    Folder(folder).age("drafts/young", 3700)
    assert await keys(LocalBlobs(folder)) == [key]
    assert files(folder) == [key]


def test_a_folder_that_cannot_be_used_is_one_sentence() -> None:
    with pytest.raises(StartError, match=r"The folder /proc/nothing cannot be used: .+\.$"):
        LocalBlobs(Path("/proc/nothing"))
