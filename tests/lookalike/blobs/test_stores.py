"""Bytes by key, in a folder and in S3 alike."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lookalike.blobs import CHUNK_BYTES, Blobs, new_key, variant
from lookalike.settings import StorageSettings
from lookalike.storage import open_blobs
from tests.lookalike.blobs.stores import ID, Behind, Folder, keys, parts, read, stored

if TYPE_CHECKING:
    from tests.s3 import S3

SIZES = [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3_000_000]
MULTIPART = 5 * 1024 * 1024 + 1


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.scale)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Blobs, Behind]:
    if request.param == "folder":
        folder = tmp_path / "blobs"
        return await open_blobs(folder.as_uri(), StorageSettings()), Folder(folder)
    s3: S3 = request.getfixturevalue("s3")
    return await open_blobs(s3.url, StorageSettings.model_validate(s3.settings)), s3


@pytest.fixture
def blobs(store: tuple[Blobs, Behind]) -> Blobs:
    return store[0]


@pytest.fixture
def behind(store: tuple[Blobs, Behind]) -> Behind:
    return store[1]


def test_a_key_tells_whose_and_which_attempt_and_is_new() -> None:
    key = new_key(ID, 7)
    assert re.fullmatch(rf"3/{ID}-7-[0-9a-f]{{8}}", key)
    assert new_key(ID, 7) != key


@pytest.mark.parametrize("size", [*SIZES, MULTIPART, 2 * MULTIPART])
async def test_bytes_come_back_in_pieces(blobs: Blobs, behind: Behind, size: int) -> None:
    data = os.urandom(size)
    key = new_key(ID, 1)
    await blobs.put(key, parts(data[: size // 2], data[size // 2 :]))
    pieces = [piece async for piece in blobs.open(key)]
    assert b"".join(pieces) == data
    assert all(len(piece) <= CHUNK_BYTES for piece in pieces)
    assert behind.keys() == [key]


async def test_it_says_which_keys_have_no_bytes(blobs: Blobs) -> None:
    there, gone = await stored(blobs), new_key(ID, 1)
    assert await blobs.missing([there, gone]) == {gone}
    assert await blobs.missing([]) == set()
    many = [new_key(ID, 1) for _ in range(40)]
    assert await blobs.missing([*many, there]) == set(many)


async def test_there_are_no_bytes_of_an_unknown_key(blobs: Blobs) -> None:
    with pytest.raises(FileNotFoundError):
        await read(blobs, new_key(ID, 1))


@pytest.mark.parametrize("size", [4, MULTIPART])
async def test_what_the_parts_raise_is_passed_on_and_nothing_is_stored(
    blobs: Blobs, behind: Behind, size: int
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(size)
        raise ValueError("the other half is missing")

    with pytest.raises(ValueError, match="the other half"):
        await blobs.put(new_key(ID, 1), broken())
    assert behind.keys() == []


@pytest.mark.parametrize("size", [4, MULTIPART])
async def test_a_put_that_is_given_up_leaves_nothing(
    blobs: Blobs, behind: Behind, size: int
) -> None:
    half_way = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield bytes(size)
        half_way.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(blobs.put(new_key(ID, 1), half()))
    await half_way.wait()
    put.cancel()
    await asyncio.wait({put})
    assert put.cancelled()
    assert behind.keys() == []


@pytest.mark.parametrize("turns", [*range(8), 20, 100])
async def test_one_that_is_given_up_at_any_moment_leaves_all_or_nothing(
    blobs: Blobs, behind: Behind, turns: int
) -> None:
    key = new_key(ID, 1)
    put = asyncio.create_task(blobs.put(key, parts(b"bytes")))
    for _ in range(turns):  # of the event loop, in which it gets as far as it may
        await asyncio.sleep(0)
    put.cancel()
    await asyncio.wait({put})
    left = behind.keys()
    assert left == [key] or (put.cancelled() and left == [])  # the sweep finds what no row names
    assert [await read(blobs, each) for each in left] == [b"bytes"] * len(left)


async def test_many_at_once(blobs: Blobs, behind: Behind) -> None:
    data = [os.urandom(100_000) for _ in range(40)]
    made = await asyncio.gather(*(stored(blobs, each, f"{n:08x}") for n, each in enumerate(data)))
    assert await keys(blobs) == behind.keys() == sorted(made)
    assert [await read(blobs, key) for key in made] == data


async def test_deleting(blobs: Blobs, behind: Behind) -> None:
    first, second, third = [await stored(blobs) for _ in range(3)]
    await blobs.delete([first, third, new_key(ID, 1), new_key("ffff", 1)])
    assert behind.keys() == [second]
    await blobs.delete([])
    await blobs.delete([second])
    await blobs.delete([second])
    assert behind.keys() == []


async def test_variants_go_with_their_bytes_and_are_listed_when_left_alone(
    blobs: Blobs, behind: Behind
) -> None:
    whole, bare = await stored(blobs), new_key(ID, 1)
    for key in (whole, bare):
        for name in ("avif", "jpeg"):
            await blobs.put(variant(key, name), parts(b"small"))
            await blobs.put(variant(key, name), parts(b"small"))  # by two at once
    assert set(await keys(blobs)) == {whole, bare}
    await blobs.delete([bare])
    assert behind.keys() == sorted([whole, variant(whole, "avif"), variant(whole, "jpeg")])
    await blobs.delete([whole])
    assert behind.keys() == []


async def test_listing_by_age(blobs: Blobs, behind: Behind) -> None:
    old, young = await stored(blobs), await stored(blobs, owner="ffff")
    behind.age(old, 100)
    assert await keys(blobs) == sorted([old, young])
    assert await keys(blobs, 50) == [old]
    assert await keys(blobs, 150) == []


async def test_keys_of_the_first_version_are_listed_read_and_deleted(
    blobs: Blobs, behind: Behind
) -> None:
    for key in (ID, f"{ID}-3.png"):
        behind.put(key, "old")
        assert await read(blobs, key) == b"old"
    assert await keys(blobs) == [ID, f"{ID}-3.png"]
    await blobs.delete(await keys(blobs))
    assert behind.keys() == []


async def test_what_is_a_strangers_is_not_listed(blobs: Blobs, behind: Behind) -> None:
    await stored(blobs)
    for name in ("holiday.jpg", "my photos/cat.png", f"3/{ID}.part", "3/notes", ".hidden"):
        behind.put(name)
    (listed,) = await keys(blobs)
    assert listed.startswith(f"3/{ID}-1-")
