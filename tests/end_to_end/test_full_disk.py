"""A disk without a single byte: nobody is left without an answer, and nothing is lost."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lookalike.processes.stack import Stack
from tests.disks import fill, small_disk
from tests.end_to_end.chats import (
    EN,
    ask,
    cat,
    delivered,
    idle,
    pictures,
    press,
    statuses,
    texts,
    told,
)
from tests.sandbox.client import People
from tests.stack import checked_logs, create_stack, occupied


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, which is small."""
    with small_disk(tmp_path / "disk", "96m") as disk:
        yield disk


@pytest.fixture
def stack(disk: Path, tmp_path: Path) -> Iterator[Stack]:
    """All services with their home on the disk; Telegram has its own."""
    with create_stack(disk / "home", {"CAPTIONER": "offline"}) as stack:
        stack.start("sandbox", LOOKALIKE_HOME=str(tmp_path / "telegram"))
        stack.start()
        with checked_logs(stack):
            yield stack
        assert set(stack.stop().values()) == {0}


@pytest.fixture
async def people(stack: Stack) -> AsyncIterator[People]:
    async with People(stack.url("sandbox")) as people:
        yield people


async def said(people: People, chat: int, text: str) -> None:
    """Waits until the bot has said this in the chat."""
    await people.wait_for(chat, lambda found: [m for m in found if m.from_bot and m.text == text])


@pytest.mark.long
async def test_everybody_is_answered_while_nothing_can_be_written(
    people: People, stack: Stack, disk: Path
) -> None:
    ada, bob = await people.add_user("Ada"), await people.add_user("Bob")
    before = await people.send_photo(ada, cat())
    await delivered(people, before)
    await idle(people, ada)
    with occupied(stack):
        cancelled = await people.send_photo(ada, cat())
        also_cancelled = await people.send_photo(ada, cat())
        kept = await people.send_photo(bob, cat())
        (status,) = await people.wait_for(ada, lambda found: statuses(found, cancelled))
        for photo in also_cancelled, kept:
            await people.wait_for(photo.chat_id, lambda found, of=photo: statuses(found, of))  # type: ignore[misc]
        filler = fill(disk)
        refused = await people.send_photo(ada, cat())
        await said(people, ada, EN.no_room)
        assert (await people.bot())["pending_updates"] == 0
        assert "2. " in (await ask(people, ada, "/status")).text
        card = await ask(people, ada, "/history")
        assert card.photo
        assert await press(people, card, EN.pictures.show_button) == EN.pictures.sending
        answer = await people.press(status, EN.cancel_button)
        assert answer is not None
        assert answer.text == EN.cancelled
        await told(people, cancelled, EN.cancelled)
        assert "Cancelled " in (await ask(people, ada, "/cancel")).text
        await told(people, also_cancelled, EN.cancelled)
        await idle(people, ada)
        assert EN.no_work not in (await ask(people, bob, "/status")).text
        assert os.statvfs(disk).f_bavail < 16 << 20
    filler.unlink()
    await delivered(people, kept)
    after = await people.send_photo(ada, cat())
    await delivered(people, after)
    for photo in kept, after:
        found = await people.messages(photo.chat_id)
        assert [len(each(found, photo)) for each in (texts, pictures)] == [1, 1]
    assert not pictures(await people.messages(ada), refused)


@pytest.mark.long
async def test_services_start_with_a_full_disk_and_nothing_is_lost(
    people: People, stack: Stack, disk: Path
) -> None:
    chat = await people.add_user("Ada")
    with occupied(stack):
        kept = await people.send_photo(chat, cat())
        await people.wait_for(chat, lambda found: statuses(found, kept))
        filler = fill(disk)
        for name in ("bot", "dbservice", "generator"):
            stack.kill(name)
        stack.start()
        await people.send_photo(chat, cat())
        await said(people, chat, EN.no_room)
        assert "1. " in (await ask(people, chat, "/status")).text
    filler.unlink()
    await delivered(people, kept)
    await idle(people, chat)
