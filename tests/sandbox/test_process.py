"""The sandbox as a process: how it starts, stops, and what survives."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sandbox.client import People
from tests.sandbox.conftest import TOKEN, jpeg, make_bot
from tests.sandbox.process import SandboxProcess

Start = Callable[[], SandboxProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts sandboxes on one home; whatever runs at the end is stopped."""
    running: list[SandboxProcess] = []

    def start() -> SandboxProcess:
        running.append(SandboxProcess(tmp_path))
        return running[-1]

    yield start
    for process in running:
        if process.running:
            process.end(signal.SIGKILL)


async def test_everything_survives_kill_9(start: Start) -> None:
    first = start()
    async with People(first.url) as people, make_bot(first.url) as bot:
        user = await people.add_user()
        await people.send_text(user, "one")
        await people.send_text(user, "two")
        photo = await bot.send_photo(user, jpeg(), caption="kept")
        await bot.set_my_commands([("start", "Begin")])
        assert len(await bot.get_updates(offset=2)) == 1  # the first is confirmed
        event = await people.last_event()
    first.end(signal.SIGKILL)

    second = start()
    async with People(second.url) as people, make_bot(second.url) as bot:
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


async def test_it_stops_at_once_while_polls_and_held_answers_hang(start: Start) -> None:
    process = start()
    async with People(process.url) as people, make_bot(process.url) as bot:
        user = await people.add_user()
        await people.send_text(user, "/start")
        await people.add_fault("hold", method="sendMessage")
        hanging = [
            asyncio.create_task(bot.send_message(user, "x")),
            asyncio.create_task(people.events(await people.last_event() + 1000, 60)),
            asyncio.create_task(bot.get_updates(offset=100, timeout=50)),
        ]
        await people.wait_for_call("sendMessage")
        loop = asyncio.get_running_loop()
        code = await asyncio.wait_for(loop.run_in_executor(None, process.end, signal.SIGTERM), 3)
        await asyncio.gather(*hanging, return_exceptions=True)
    assert code == 0
    assert not [line for line in process.log if "ERROR" in line or "Traceback" in line]


async def test_what_it_was_made_to_do_is_no_traceback_and_no_token_in_the_log(
    start: Start,
) -> None:
    process = start()
    async with People(process.url) as people, make_bot(process.url) as bot:
        user = await people.add_user()
        await people.send_text(user, "/start")
        for fault in ({"kind": "cut"}, {"kind": "http_error", "status": 500}):
            await people.add_fault(method="sendMessage", **fault)
            await asyncio.gather(bot.send_message(user, "x"), return_exceptions=True)
    assert process.end(signal.SIGTERM) == 0
    log = "\n".join(process.log)
    assert "Traceback" not in log
    assert TOKEN not in log


def test_a_taken_port_is_one_sentence(start: Start, tmp_path: Path) -> None:
    taken = start().url.removeprefix("http://")
    environment = {
        **os.environ,
        "LOOKALIKE_HOME": str(tmp_path),
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "SANDBOX_LISTEN": taken,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "sandbox"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    words = f"lookalike sandbox: SANDBOX_LISTEN: cannot listen on {taken}: Address already in use."
    assert (ended.returncode, ended.stderr.strip()) == (78, words)


def test_of_several_ports_the_first_free_one_is_taken(start: Start, tmp_path: Path) -> None:
    taken = start().url.removeprefix("http://")
    first = int(taken.rpartition(":")[2])
    process = SandboxProcess(tmp_path / "second", taken, ports=50)
    try:
        assert first < int(process.url.rpartition(":")[2]) < first + 50
    finally:
        assert process.end(signal.SIGTERM) == 0
