"""A backup while photos come in, and a bot that goes on with it in another home."""

import asyncio
import itertools
from pathlib import Path

import pytest

from lookalike.processes.stack import Stack
from tests import commands
from tests.end_to_end.chats import (
    EN,
    ask,
    cat,
    delivered,
    idle,
    offering,
    pictures,
    statuses,
    texts,
)
from tests.sandbox.client import People
from tests.stack import checked_logs, create_stack, fixed_ports, occupied, running_stack


async def typed(stack: Stack, command: str, file: Path) -> str:
    """What a command says that ends well."""
    done = await asyncio.to_thread(
        commands.run, command, str(file), folder=file.parent, environment=stack.environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def send_many(people: People, chat: int, several: asyncio.Event) -> None:
    """Sends photos, one after the other, until it is cancelled; sets `several` after the third."""
    for count in itertools.count():
        await people.send_photo(chat, cat(100 + count))
        if count == 2:
            several.set()
        await asyncio.sleep(0.3)


@pytest.mark.long
async def test_another_home_goes_on_where_the_backup_was_made(tmp_path: Path) -> None:
    settings = {"CAPTIONER": "offline", "USER_MAX_UNFINISHED": "1000", **fixed_ports()}
    file = tmp_path / "kept.tar"
    with running_stack(tmp_path / "old", settings) as old:
        async with People(old.url("sandbox")) as people:
            ada, ben = await people.add_user("Ada"), await people.add_user("Ben")
            done = await people.send_photo(ada, cat())
            picture = await delivered(people, done)
            assert picture.photo is not None
            before = await people.original(picture.photo)
            history = await ask(people, ada, "/history")
            with occupied(old):
                waiting = await people.send_photo(ada, cat())
                await people.wait_for(ada, lambda messages: statuses(messages, waiting))
                several = asyncio.Event()
                sending = asyncio.create_task(send_many(people, ben, several))
                await several.wait()
                assert " rows and " in await typed(old, "backup", file)
                assert not sending.done()
                sending.cancel()
                old.stop("bot")
            old.stop("generator", "dbservice")
            with create_stack(tmp_path / "new", settings) as new, checked_logs(new):
                await typed(new, "restore", file)
                new.start("dbservice", "generator", "bot")
                await delivered(people, waiting)
                await idle(people, ada)
                messages = await people.messages(ada)
                assert len(pictures(messages, waiting)) == len(texts(messages, waiting)) == 1
                assert len(pictures(messages, done)) == 1
                await people.forget_file(picture.photo)  # so that it comes from the database
                card = await ask(people, ada, "/history")
                await people.press(card, EN.pictures.older_button)
                oldest = await offering(people, card, "2/2")
                assert oldest.photo is not None
                assert await people.original(oldest.photo) == before
                assert oldest.caption.splitlines()[0] == history.caption.splitlines()[0]
