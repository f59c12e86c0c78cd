"""Bytes by key, in a folder."""

import asyncio
import os
import re
import threading
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from lookalike.blobs import CHUNK_BYTES, LocalBlobs, new_key
from lookalike.errors import StartError

ID = "335c9900-89ac-5e67-9f3f-950b4c77a260"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(folder: Path) -> LocalBlobs:
    return LocalBlobs(folder)


async def parts(*data: bytes) -> AsyncIterator[bytes]:
    for part in data:
        yield part


async def read(blobs: LocalBlobs, key: str) -> bytes:
    return b"".join([part async for part in blobs.open(key)])


async def keys(blobs: LocalBlobs, older_than: float = 0.0) -> list[str]:
    return sorted([key async for key in blobs.list(older_than)])


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


async def stored(blobs: LocalBlobs, data: bytes = b"bytes", owner: str = ID) -> str:
    key = new_key(owner, 1)
    await blobs.put(key, parts(data))
    return key


def test_a_key_tells_whose_and_which_attempt_and_is_new() -> None:
    key = new_key(ID, 7)
    assert re.fullmatch(rf"3/{ID}-7-[0-9a-f]{{8}}", key)
    assert new_key(ID, 7) != key


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3_000_000])
async def test_bytes_come_back_in_pieces(blobs: LocalBlobs, folder: Path, size: int) -> None:
    data = os.urandom(size)
    key = new_key(ID, 1)
    await blobs.put(key, parts(data[: size // 2], data[size // 2 :]))
    pieces = [piece async for piece in blobs.open(key)]
    assert b"".join(pieces) == data
    assert all(len(piece) <= CHUNK_BYTES for piece in pieces)
    assert files(folder) == [key]


async def test_it_says_which_keys_have_no_bytes(blobs: LocalBlobs) -> None:
    there, gone = await stored(blobs), new_key(ID, 1)
    assert await blobs.missing([there, gone]) == {gone}


async def test_there_are_no_bytes_of_an_unknown_key(blobs: LocalBlobs) -> None:
    with pytest.raises(FileNotFoundError):
        await read(blobs, new_key(ID, 1))


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


async def test_what_the_parts_raise_is_passed_on_and_nothing_is_stored(
    blobs: LocalBlobs, folder: Path
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ValueError("the other half is missing")

    with pytest.raises(ValueError, match="the other half"):
        await blobs.put(new_key(ID, 1), broken())
    assert files(folder) == []


async def test_a_put_that_is_given_up_leaves_nothing(blobs: LocalBlobs, folder: Path) -> None:
    half_way = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        half_way.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(blobs.put(new_key(ID, 1), half()))
    await half_way.wait()
    put.cancel()
    await asyncio.wait({put})
    assert files(folder) == []


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


async def test_many_at_once(blobs: LocalBlobs, folder: Path) -> None:
    data = [os.urandom(100_000) for _ in range(40)]
    made = await asyncio.gather(*(stored(blobs, each, f"{n:08x}") for n, each in enumerate(data)))
    assert await keys(blobs) == files(folder) == sorted(made)
    assert [await read(blobs, key) for key in made] == data


async def test_deleting(blobs: LocalBlobs, folder: Path) -> None:
    first, second, third = [await stored(blobs) for _ in range(3)]
    await blobs.delete([first, third, new_key(ID, 1), new_key("ffff", 1)])
    assert files(folder) == [second]
    await blobs.delete([])
    await blobs.delete([second])
    await blobs.delete([second])
    assert files(folder) == []


async def test_listing_by_age(blobs: LocalBlobs, folder: Path) -> None:
    old, young = await stored(blobs), await stored(blobs, owner="ffff")
    then = time.time() - 100
    os.utime(folder / old, (then, then))
    assert await keys(blobs) == sorted([old, young])
    assert await keys(blobs, 50) == [old]
    assert await keys(blobs, 150) == []


async def test_keys_of_the_first_version_are_listed_read_and_deleted(
    blobs: LocalBlobs, folder: Path
) -> None:
    for key in (ID, f"{ID}-3.png"):
        (folder / key).write_bytes(b"old")
        assert await read(blobs, key) == b"old"
    assert await keys(blobs) == [ID, f"{ID}-3.png"]
    await blobs.delete(await keys(blobs))
    assert files(folder) == []


async def test_files_of_strangers_are_not_listed(blobs: LocalBlobs, folder: Path) -> None:
    await stored(blobs)
    (folder / "my photos").mkdir()
    for name in ("holiday.jpg", "my photos/cat.png", f"3/{ID}.part", "3/notes", ".hidden"):
        (folder / name).write_bytes(b"not ours")
    (listed,) = await keys(blobs)
    assert listed.startswith(f"3/{ID}-1-")


async def test_drafts_that_a_crash_left_go_at_the_next_start(folder: Path) -> None:
    key = await stored(LocalBlobs(folder))
    (folder / "drafts" / "half").write_bytes(b"half")
    assert await keys(LocalBlobs(folder)) == [key]
    assert files(folder) == [key]


def test_a_folder_that_cannot_be_used_is_one_sentence() -> None:
    with pytest.raises(StartError, match=r"The folder /proc/nothing cannot be used: .+\.$"):
        LocalBlobs(Path("/proc/nothing"))
