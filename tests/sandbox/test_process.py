"""The sandbox as a process: how it starts, stops, and what survives."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike.errors import StartError
from lookalike.processes.stack import Stack
from tests.sandbox.client import People
from tests.sandbox.conftest import TOKEN, jpeg, make_bot
from tests.stack import read_log

pytestmark = pytest.mark.slow


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A sandbox that runs."""
    with Stack(tmp_path, {"TELEGRAM_BOT_TOKEN": TOKEN}) as stack:
        stack.start("sandbox")
        yield stack


async def test_everything_survives_kill_9(stack: Stack) -> None:
    url = stack.url("sandbox")
    async with People(url) as people, make_bot(url) as bot:
        user = await people.add_user()
        await people.send_text(user, "one")
        await people.send_text(user, "two")
        photo = await bot.send_photo(user, jpeg(), caption="kept")
        await bot.set_my_commands([("start", "Begin")])
        assert len(await bot.get_updates(offset=2)) == 1  # the first is confirmed
        event = await people.last_event()
    stack.kill("sandbox")

    stack.start("sandbox")
    async with People(url) as people, make_bot(url) as bot:
        assert [m.text or m.caption for m in await people.messages(user)] == ["one", "two", "kept"]
        (update,) = await bot.get_updates()
        assert update.update_id == 2
        assert update.message is not None
        assert update.message.text == "two"
        assert (await people.send_text(user, "three")).id == photo.message_id + 1
        assert [u.update_id for u in await bot.get_updates()] == [2, 3]
        file = await bot.get_file(photo.photo[-1].file_id)
        assert len(await file.download_as_bytearray()) == photo.photo[-1].file_size
        assert len(await bot.get_my_commands()) == 1
        assert await people.last_event() > event
        assert await people.add_user("Ben") == user + 1


async def test_it_stops_at_once_while_polls_and_held_answers_hang(stack: Stack) -> None:
    url = stack.url("sandbox")
    async with People(url) as people, make_bot(url) as bot:
        user = await people.add_user()
        await people.send_text(user, "/start")
        await people.add_fault("hold", method="sendMessage")
        hanging = [
            asyncio.create_task(bot.send_message(user, "x")),
            asyncio.create_task(people.events(await people.last_event() + 1000, 60)),
            asyncio.create_task(bot.get_updates(offset=100, timeout=50)),
        ]
        await people.wait_for_call("sendMessage")
        codes = await asyncio.wait_for(asyncio.to_thread(stack.stop), 3)
        await asyncio.gather(*hanging, return_exceptions=True)
    assert codes == {"sandbox": 0}
    log = read_log(stack, "sandbox")
    assert "ERROR" not in log
    assert "Traceback" not in log


async def test_what_it_was_made_to_do_is_no_traceback_and_no_token_in_the_log(
    stack: Stack,
) -> None:
    url = stack.url("sandbox")
    async with People(url) as people, make_bot(url) as bot:
        user = await people.add_user()
        await people.send_text(user, "/start")
        for fault in ({"kind": "cut"}, {"kind": "http_error", "status": 500}):
            await people.add_fault(method="sendMessage", **fault)
            await asyncio.gather(bot.send_message(user, "x"), return_exceptions=True)
    assert stack.stop() == {"sandbox": 0}
    log = read_log(stack, "sandbox")
    assert "Traceback" not in log
    assert TOKEN not in log


def test_a_taken_port_is_one_sentence(stack: Stack) -> None:
    taken = stack.address("sandbox")
    with Stack(stack.home, {"TELEGRAM_BOT_TOKEN": TOKEN, "SANDBOX_LISTEN": taken}) as second:
        process = second.launch("sandbox")
        assert process.wait(30) == StartError.PASSING_EXIT_CODE
        assert process.lines.kept == [
            f"lookalike sandbox: SANDBOX_LISTEN: cannot listen on {taken}: Address already in use."
        ]


def test_of_several_ports_the_first_free_one_is_taken(stack: Stack, tmp_path: Path) -> None:
    taken = stack.address("sandbox")
    first = int(taken.rpartition(":")[2])
    settings = {"TELEGRAM_BOT_TOKEN": TOKEN, "SANDBOX_LISTEN": taken, "SANDBOX_PORTS": "50"}
    with Stack(tmp_path / "second", settings) as second:
        second.start("sandbox")
        assert first < int(second.address("sandbox").rpartition(":")[2]) < first + 50
        assert second.stop() == {"sandbox": 0}
