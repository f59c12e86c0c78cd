"""Forgetting somebody: cut short anywhere it is carried through, and nobody else loses a thing."""

import asyncio
import itertools
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.forgetting import Forgetting
from bot.transports.kept import KeptUpdates
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.chaos import hurry
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN
from tests.bot.mortal import FOREVER, Killed, Process
from tests.sandbox.client import ShownMessage
from tests.waiting import eventually

pytestmark = pytest.mark.slow

TWIN = db.Recipe(dial=db.DIAL_TWIN)


def forgetting_of(desk: Desk, process: Process) -> Forgetting:
    return Forgetting(process.services, KeptUpdates(desk.home / "bot" / "undecoded"), BOT)


async def go_on(desk: Desk, process: Process) -> None:
    """Ticks until nobody is to be forgotten any more, or the process dies."""
    forgetting = forgetting_of(desk, process)
    async with process.ticking() as tick:
        while await pending(desk):
            await tick.run()
            await asyncio.gather(*tick._tasks.values(), return_exceptions=True)
            if process.life.over.is_set():
                return
            try:
                await forgetting.run()
            except Killed:
                return


async def pending(desk: Desk) -> list[int]:
    found = await desk.database.list_forgettings(db.ListForgettingsRequest(bot_id=BOT))
    return [each.user_id for each in found.forgettings]


async def at_work(desk: Desk, user: int, *, chat: int | None = None) -> str:
    """A photo that a picture is being painted from; its id. A group gets no status message."""
    place = user if chat is None else chat
    sent = await desk.people.send_photo(place, picture(), user=user)
    item = await desk.receive(sent, recipe=TWIN)
    async with Process(desk).ticking() as tick:

        async def queued() -> bool | None:
            await tick.run()
            await asyncio.gather(*tick._tasks.values())
            if (await generation(desk, user, place, item.id)).state < db.GENERATION_STATE_QUEUED:
                return None
            messages = await desk.people.messages(place)
            return (
                chat is not None
                or any(m.reply_to == sent.id and is_status(m) for m in messages)
                or None
            )

        await eventually(queued)
    return item.id


async def generation(desk: Desk, user: int, chat: int, generation_id: str) -> db.Generation:
    request = db.GetGenerationRequest(
        bot_id=BOT, chat_id=chat, user_id=user, generation_id=generation_id
    )
    return (await desk.database.get_generation(request)).item.generation


def is_status(message: ShownMessage) -> bool:
    return any(button.text == EN.cancel_button for button in message.buttons)


async def ask(desk: Desk, user: int) -> ShownMessage:
    """The question of /forget, whose first button is pressed."""
    text = EN.privacy.forget_question
    asked = await desk.people.send_text(user, "/forget")
    sent = await desk.services.messenger.reply(user, asked.id, text)
    request = db.BeginForgettingRequest(
        bot_id=BOT,
        user_id=user,
        chat_id=user,
        message_id=sent.message_id,
        language_code="en",
    )
    assert (await desk.database.begin_forgetting(request)).pending
    return next(m for m in await desk.people.messages(user) if m.id == sent.message_id)


def count(home: Path, query: str, *parameters: object) -> int:
    with closing(sqlite3.connect(home)) as connection:
        (found,) = connection.execute(query, parameters).fetchone()
        return int(found)


async def assert_gone(desk: Desk, user: int, *jobs: str) -> None:
    rows, queue = desk.home / "dbservice/lookalike.db", desk.home / "generator/jobs.db"
    for table in ("photos", "generations", "forgettings", "kept_of_users"):
        assert not count(rows, f"SELECT count(*) FROM {table} WHERE user_id = ?", user), table
    assert not count(queue, "SELECT count(*) FROM jobs WHERE owner = ?", f"telegram:{user}")
    for job in jobs:
        assert (await desk.services.generator.get_job(job)).state == "unknown"


def uploads(desk: Desk) -> int:
    return count(desk.home / "generator/jobs.db", "SELECT count(*) FROM uploaded_images")


def stored(desk: Desk) -> list[Path]:
    folders = (desk.home / "dbservice" / "blobs", desk.home / "generator" / "results")
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


@pytest.mark.long
async def test_killed_between_any_two_calls_it_is_carried_through(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    for calls in itertools.count(1):
        user = await desk.people.add_user()
        jobs = [await at_work(desk, user), await at_work(desk, user)]
        assert uploads(desk) == 1
        question = await ask(desk, user)
        mortal = Process(desk, calls)
        await go_on(desk, mortal)
        has_died = mortal.life.over.is_set()
        await go_on(desk, Process(desk, FOREVER))
        await assert_gone(desk, user, *jobs)
        assert uploads(desk) == 0
        assert stored(desk) == []
        said = [m for m in await desk.people.messages(user) if m.from_bot]
        assert not [message for message in said if is_status(message)]
        told = [m.id for m in said if m.text == EN.privacy.forgotten]
        assert told == [question.id]
        if not has_died:
            break
    assert calls > 10


async def test_photos_in_groups_go_too_and_everybody_elses_work_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one's unfinished job is to start from the same picture."""
    hurry(monkeypatch)
    ada, bob = await desk.people.add_user("Ada"), await desk.people.add_user("Bob")
    group = await desk.people.add_group([ada, bob])
    hers, his = await at_work(desk, ada, chat=group), await at_work(desk, bob, chat=group)
    await ask(desk, ada)
    await go_on(desk, Process(desk))
    await assert_gone(desk, ada, hers)
    assert uploads(desk) == 1
    desk.executor.go()
    async with Process(desk).ticking() as tick:

        async def closed() -> bool | None:
            await tick.run()
            await asyncio.gather(*tick._tasks.values())
            request = db.GetStatusRequest(bot_id=BOT, chat_id=group, user_id=bob)
            return not (await desk.database.get_status(request)).count or None

        await eventually(closed)
    assert (await generation(desk, bob, group, his)).state == db.GENERATION_STATE_DELIVERED


async def test_while_a_service_is_away_it_waits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    user = await desk.people.add_user()
    await at_work(desk, user)
    await ask(desk, user)
    await desk.people.add_fault("http_error", method="editMessageText", status=502)
    process = Process(desk)
    process.services = replace(process.services, generator=desk.without_generator().generator)
    async with process.ticking() as tick:
        await tick.run()
        await asyncio.gather(*tick._tasks.values(), return_exceptions=True)
        await forgetting_of(desk, process).run()
    assert await pending(desk) == [user]
    await go_on(desk, Process(desk))
    await assert_gone(desk, user)


async def test_updates_that_were_kept_go_with_whoever_they_name(tmp_path: Path) -> None:
    kept = KeptUpdates(tmp_path / "undecoded")
    for number, text in enumerate(('{"id": 42}', '{"id": 142}', '{"from": {"id":42}}')):
        await kept.keep(number, text.encode(), "a test")
    await kept.forget(42)
    assert [path.name for path in (tmp_path / "undecoded").iterdir()] == ["1.json"]


async def test_who_has_deleted_the_question_is_told_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    user = await desk.people.add_user()
    await desk.people.delete(await ask(desk, user))
    await go_on(desk, Process(desk))
    assert not [message for message in await desk.people.messages(user) if message.from_bot]
