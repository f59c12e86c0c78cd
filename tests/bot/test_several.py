"""Several bots, each a process, behind one address: together they are one bot."""

import asyncio
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from lookalike.errors import StartError
from lookalike.processes import ServiceProcess, clean_environment
from tests import azure
from tests.azure import AzureServer
from tests.balancer import Balancer, balancing
from tests.bot.desk import BOT_TOKEN, SERVICE_TOKEN, Desk, open_desk, picture
from tests.bot.front import EN, NAME, has_file, nothing_waits, pictured, told
from tests.bot.group import Group
from tests.generator import scripted
from tests.sandbox.client import LOOPBACK, ShownMessage
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@dataclass
class Bots:
    """The bots, each in a home of its own, and what is in front of them."""

    desk: Desk
    balancer: Balancer
    vision: AzureServer
    processes: dict[str, ServiceProcess] = field(default_factory=dict)
    logs: dict[str, list[str]] = field(default_factory=dict)

    async def start(self, *names: str) -> None:
        """Starts bots, and waits until they share the chats."""
        for name in names:
            self.logs.setdefault(name, [])
            self.processes[name] = ServiceProcess(
                "bot",
                self._environment(name),
                self.desk.home / name,
                self.logs[name].append,
            )
        for name in names:
            address = await asyncio.to_thread(self.processes[name].address)
            self.balancer.backends.append(address)
        await eventually(self._share, 60)

    def _environment(self, name: str) -> dict[str, str]:
        settings = self.desk.settings
        return {
            **clean_environment(),
            "LOOKALIKE_HOME": str(self.desk.home / name),
            "SERVICE_TOKEN": SERVICE_TOKEN,
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_API_URL": settings.telegram_api_url,
            "DBSERVICE_ADDRESS": settings.dbservice_address,
            "GENERATOR_URL": settings.generator_url,
            "CAPTIONER": "azure",
            "AZURE_VISION_ENDPOINT": self.vision.url,
            "AZURE_VISION_KEY": self.vision.key,
            "BOT_PUBLIC_URL": f"http://{self.balancer.address}",
            "BOT_LISTEN": "127.0.0.1:0",
            "BOT_POLL_SECONDS": "0.1",
        }

    async def _share(self) -> bool | None:
        """Whether all are there, and each has its part of the chats."""
        count = len(self.processes)
        parts = [shards.bit_count() for (shards,) in self.rows("SELECT shards FROM bots")]
        return parts == [60 // count] * count or None

    async def say(self, text: str) -> bool | None:
        """Whether each says this where it is asked how it is."""
        async with httpx.AsyncClient(**LOOPBACK) as http:
            urls = [f"http://{address}/health/ready" for address in self.balancer.backends]
            return {(await http.get(url)).text for url in urls} == {text} or None

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        with sqlite3.connect(self.desk.home / "dbservice" / "lookalike.db") as database:
            found = database.execute(query).fetchall()
        database.close()
        return found

    async def kill(self, name: str) -> None:
        """Kills one as a crash would."""
        await asyncio.to_thread(self.lose(name).kill)

    def lose(self, name: str) -> ServiceProcess:
        """One that is about to end, or has ended: nothing more is passed on to it."""
        process = self.processes.pop(name)
        self.balancer.backends.remove(process.address())
        return process

    async def stop(self) -> None:
        """Stops all, which is to leave nothing to be desired."""
        processes, self.processes = self.processes, {}
        for process in processes.values():
            process.ask_to_stop()
        codes = [await asyncio.to_thread(process.stop) for process in processes.values()]
        assert set(codes) <= {0}
        for log in self.logs.values():
            assert not [line for line in log if "Traceback" in line], "\n".join(log)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _bots(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bots]:
    async with _none_yet(tmp_path_factory.mktemp("home"), timedelta(seconds=3)) as bots:
        await bots.start("first", "second")
        yield bots


@pytest_asyncio.fixture(loop_scope="module")
async def bots(_bots: Bots) -> Bots:
    """Two of them; a lease lasts three seconds."""
    if "first" not in _bots.processes:
        await _bots.start("first")
    _bots.balancer.passed.clear()
    _bots.desk.executor.go()
    return _bots


@asynccontextmanager
async def _none_yet(home: Path, lease: timedelta) -> AsyncIterator[Bots]:
    """All that bots need; how long a lease lasts is dbservice's to say."""
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
        for module in ("shares", "leases"):
            patch.setattr(f"dbservice.transactions.{module}.LEASE", lease)
            patch.setattr(f"dbservice.transactions.{module}.RENEW_BELOW", lease * 2 / 3)
        desk = await stack.enter_async_context(open_desk(home))
        balancer = await stack.enter_async_context(balancing())
        bots = Bots(desk, balancer, await stack.enter_async_context(azure.serve()))
        try:
            yield bots
            await bots.stop()
        finally:
            for process in bots.processes.values():
                await asyncio.to_thread(process.kill)


async def people_of_both(desk: Desk, count: int) -> list[int]:
    """New people, of whom each bot has some: so their ids are spread."""
    first = await desk.people.add_user()
    rest = [await desk.people.add_user(user_id=first + 60 * n // count) for n in range(1, count)]
    return [first, *rest]


async def send(desk: Desk, chats: Sequence[int], times: int) -> list[ShownMessage]:
    """Photos, as many in each chat."""
    return [await desk.people.send_photo(chat, picture()) for _ in range(times) for chat in chats]


async def answered_once(desk: Desk, photos: Sequence[ShownMessage]) -> None:
    """Waits until each photo has its picture and all is closed, and looks for doubles."""
    for chat in {photo.chat_id for photo in photos}:
        theirs = [photo.id for photo in photos if photo.chat_id == chat]
        await pictured(desk, chat, times=len(theirs))
    await eventually(partial(_all_closed, desk))
    for chat in {photo.chat_id for photo in photos}:
        theirs = [photo.id for photo in photos if photo.chat_id == chat]
        shown = [each for each in await desk.people.messages(chat) if each.from_bot]
        pictures = Counter(each.reply_to for each in shown if each.photo)
        captions = Counter(each.reply_to for each in shown if each.text)
        assert pictures == captions == dict.fromkeys(theirs, 1), [each.json for each in shown]


async def _all_closed(desk: Desk) -> bool | None:
    with sqlite3.connect(desk.home / "dbservice" / "lookalike.db") as database:
        ((left,),) = database.execute(
            "SELECT count(*) FROM generations WHERE closed_at IS NULL"
        ).fetchall()
    database.close()
    return left == 0 or None


async def test_they_share_the_chats_and_each_photo_is_answered_once(bots: Bots) -> None:
    desk = bots.desk
    await eventually(partial(bots.say, "ready\n2 bots share the chats.\n"))
    chats = await people_of_both(desk, 12)
    photos = await send(desk, chats, 2)
    await answered_once(desk, photos)
    assert len(bots.balancer.passed) == 2, "either takes what comes"
    assert min(bots.balancer.passed.values()) >= 10
    holders: dict[object, set[object]] = {}
    for chat, holder in bots.rows("SELECT chat_id, lease_holder FROM generations"):
        holders.setdefault(chat, set()).add(holder)
    assert {len(each) for each in holders.values()} == {1}, "a chat is one's alone"
    assert len(set[object]().union(*holders.values())) == 2


@pytest.mark.long
async def test_a_killed_ones_chats_go_on(bots: Bots) -> None:
    desk = bots.desk
    desk.executor.hold()
    chats = await people_of_both(desk, 8)
    photos = await send(desk, chats, 2)
    await has_file(desk, chats[0], photos[0])
    await told(desk, chats[0], bots.vision.caption)
    await bots.kill("first")
    more = await send(desk, chats, 1)
    desk.executor.go()
    await answered_once(desk, [*photos, *more])
    await bots.start("first")
    await answered_once(desk, [*photos, *more, *await send(desk, chats, 1)])


@pytest.mark.long
async def test_one_that_was_frozen_sends_nothing_that_another_has_sent(bots: Bots) -> None:
    desk = bots.desk
    desk.executor.hold()
    chats = await people_of_both(desk, 8)
    photos = await send(desk, chats, 1)
    for photo in photos:
        await told(desk, photo.chat_id, bots.vision.caption)
    frozen = bots.processes["first"]
    frozen.popen.send_signal(signal.SIGSTOP)
    try:
        for chat in chats[:4]:
            await desk.people.send_text(chat, "/help")
        desk.executor.go()
        for photo in photos:
            await pictured(desk, photo.chat_id)
        for chat in chats[:4]:
            await told(desk, chat, EN.help)
        await nothing_waits(desk)
    finally:
        frozen.popen.send_signal(signal.SIGCONT)
    assert await asyncio.to_thread(frozen.wait, 60) == StartError.PASSING_EXIT_CODE
    assert "others have taken over its chats" in bots.logs["first"][-1]
    bots.lose("first")
    for chat in chats:
        shown = [each for each in await desk.people.messages(chat) if each.from_bot]
        assert len([each for each in shown if each.photo]) == 1
        helped = [each for each in shown if each.text == EN.help]
        assert len(helped) == (chat in chats[:4])


async def test_a_cancel_that_overtakes_its_photo_cancels_it(bots: Bots) -> None:
    desk = bots.desk
    bots.balancer.late = b'"photo"'
    await desk.people.send_photo(desk.chat, picture())
    await desk.people.send_text(desk.chat, "/cancel")
    await told(desk, desk.chat, EN.no_work)
    assert [b" 200 " in answer for answer in await bots.balancer.catch_up()] == [True]
    await told(desk, desk.chat, EN.cancelled)
    photo = await desk.people.send_photo(desk.chat, picture())
    await pictured(desk, desk.chat)
    shown = [each for each in await desk.people.messages(desk.chat) if each.from_bot]
    assert [each.reply_to for each in shown if each.photo] == [photo.id]


async def test_a_command_whose_200_was_lost_is_answered_by_one(bots: Bots) -> None:
    desk = bots.desk
    for times in (1, 2):
        bots.balancer.lost = 1
        await desk.people.send_text(desk.chat, "/help")
        await nothing_waits(desk)
        await told(desk, desk.chat, EN.help, times=times)
        await desk.people.send_text(desk.chat, "/start")
        await told(desk, desk.chat, EN.start, times=times)
        assert len(await told(desk, desk.chat, EN.help)) == times
    assert len(bots.balancer.passed) == 2


@pytest.mark.long
async def test_an_album_is_taken_whole_whoever_takes_its_photos(bots: Bots) -> None:
    desk = bots.desk
    group = await Group.new(desk)
    bots.balancer.late = NAME.encode()  # the photo with the words comes last
    photos = [picture()] * 4
    await desk.people.send_album(group.id, photos, user=group.bob, caption=f"{NAME} as a whole")
    await nothing_waits(desk)
    await bots.balancer.catch_up()
    await pictured(desk, group.id, times=4)


@pytest.mark.long
async def test_a_successor_in_the_same_home_goes_on_at_once(tmp_path: Path) -> None:
    """A bot that is alone, as most are."""
    async with _none_yet(tmp_path, timedelta(hours=1)) as bots:
        desk = bots.desk
        await bots.start("first")
        photo = await desk.people.send_photo(desk.chat, picture())
        await told(desk, desk.chat, bots.vision.caption)
        await bots.kill("first")
        await bots.start("first")
        desk.executor.go()
        await answered_once(desk, [photo])
        assert bots.rows("SELECT count(*) FROM claims") == [(0,)]
