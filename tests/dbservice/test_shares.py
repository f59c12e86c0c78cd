"""Several processes share a bot's chats: each its own, and none works where another does."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from typing import Any

import grpc
import pytest

from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CHAT, USER, Client, Lease, Refusal, refusal
from tests.dbservice.conftest import Clock

pytestmark = pytest.mark.each_database

ADDRESS = "https://bot.example.org/telegram/webhook"
CHATS = range(1001, 1061)
SUPERSEDED: Refusal = (grpc.StatusCode.FAILED_PRECONDITION, "SUPERSEDED", [])
LAPSED: Refusal = (grpc.StatusCode.FAILED_PRECONDITION, "LAPSED", [])


class Bot:
    """A process, as far as dbservice hears of it."""

    def __init__(self, client: Client, name: str) -> None:
        self.name = name
        self.epoch = 0
        self.bots = 0
        self._client = client

    async def join(self, address: str = ADDRESS, before: str = "") -> "Bot":
        request = db.BeginEpochRequest(bot_id=BOT, address=address, holder=self.name, before=before)
        self.epoch = (await self._client.call(self._client.stub.BeginEpoch, request)).epoch
        return self

    async def lease(self, busy: Iterable[int] = (), *, stopping: bool = False) -> Sequence[Lease]:
        request = db.LeaseGenerationsRequest(
            bot_id=BOT,
            holder=self.name,
            epoch=self.epoch,
            busy_chat_ids=busy,
            stopping=stopping,
        )
        answer = await self._client.call(self._client.stub.LeaseGenerations, request)
        self.bots = answer.bots
        return answer.leases

    async def chats(self, busy: Iterable[int] = ()) -> set[int]:
        return {lease.item.photo.chat_id for lease in await self.lease(busy)}

    async def confirm(self) -> None:
        request = db.ConfirmEpochRequest(bot_id=BOT, epoch=self.epoch, holder=self.name)
        await self._client.call(self._client.stub.ConfirmEpoch, request)

    async def claim(self, name: str, seconds: int = 60) -> bool:
        request = db.ClaimRequest(bot_id=BOT, holder=self.name, name=name, seconds=seconds)
        return (await self._client.call(self._client.stub.Claim, request)).yours


@pytest.fixture
async def photos(client: Client) -> None:
    """One in each chat."""
    for chat in CHATS:
        await client.receive(chat=chat, user=chat)


async def share(client: Client, *names: str) -> list[Bot]:
    """Processes that have come one after the other, and share evenly."""
    bots = [await Bot(client, name).join() for name in names]
    for _ in bots:
        for bot in bots:
            await bot.lease()
    return bots


@pytest.mark.usefixtures("photos")
async def test_each_has_its_part_of_the_chats(client: Client) -> None:
    alone = await Bot(client, "a").join()
    assert await alone.chats() == {*CHATS}
    assert alone.bots == 1
    second = await Bot(client, "b").join()
    assert second.epoch == alone.epoch
    assert await second.chats() == set(), "what another has is not taken from it"
    first = await alone.chats()
    assert alone.bots == second.bots == 2
    assert await second.chats() == {*CHATS} - first
    assert len(first) == 30
    third = await Bot(client, "c").join()
    parts = [await bot.chats() for bot in (alone, second, third)]
    assert [len(part) for part in parts] == [20, 20, 20]
    assert set[int]().union(*parts) == {*CHATS}
    await client.receive(2, chat=CHATS[0], user=7)
    has_it = [CHATS[0] in await bot.chats() for bot in (alone, second, third)]
    assert has_it == [CHATS[0] in part for part in parts]


@pytest.mark.usefixtures("photos")
async def test_a_chat_moves_when_nothing_is_under_way_there(client: Client, clock: Clock) -> None:
    first = await Bot(client, "a").join()
    await first.lease()
    second = await Bot(client, "b").join()
    await second.lease()
    for _ in range(4):  # it has work everywhere, for longer than a lease lasts
        clock.pass_seconds(9)
        begun = await first.chats(busy=CHATS)
        assert len(begun) == 30, "nothing new is begun where it is to leave"
        assert await second.chats() == set()
    rest = await client.status(chat=CHATS[0], user=CHATS[0])
    assert rest, "still there"
    assert await first.chats(busy=CHATS[:45]) & {*CHATS[45:]} == set()
    moved = await second.lease()
    assert {lease.item.photo.chat_id for lease in moved} == {*CHATS[45:]}
    assert {lease.item.generation.attempts for lease in moved} == {0}, "nobody has died of it"
    assert len(await first.chats()) == 30
    assert len(await second.chats()) == 30


@pytest.mark.usefixtures("photos")
async def test_a_dead_ones_chats_move_within_a_lease(client: Client, clock: Clock) -> None:
    first, second = await share(client, "a", "b")
    (lost, *_), kept = await first.lease(), await second.chats()
    clock.pass_seconds(29)
    assert await second.chats() == kept
    clock.pass_seconds(1)
    taken = await second.lease()
    assert {lease.item.photo.chat_id for lease in taken} == {*CHATS}
    assert second.bots == 1
    assert sum(lease.item.generation.attempts for lease in taken) == 30, "it may have died of them"
    for call in (first.lease(), first.confirm()):
        assert await refusal(call) == LAPSED
    code, reason, _ = await refusal(client.store(lost))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LEASE_LOST")
    await first.join()
    await second.lease()
    assert len(await first.chats()) == 30


@pytest.mark.usefixtures("photos")
async def test_a_stop_and_a_successor_free_the_chats_at_once(client: Client) -> None:
    first, second = await share(client, "a", "b")
    await first.lease(stopping=True)
    taken = await second.lease()
    assert {lease.item.photo.chat_id for lease in taken} == {*CHATS}
    assert {lease.item.generation.attempts for lease in taken} == {0}
    successor = await Bot(client, "c").join(before="b")
    assert await successor.chats() == {*CHATS}
    assert await refusal(second.lease()) == LAPSED


@pytest.mark.usefixtures("photos")
async def test_who_was_away_together_goes_on_together(client: Client, clock: Clock) -> None:
    """The database was, for all of them; or the machine slept."""
    bots = first, second = await share(client, "a", "b")
    parts = [await bot.chats() for bot in bots]
    clock.pass_seconds(3600)
    await first.confirm()
    assert await first.chats() == parts[0]
    clock.pass_seconds(29)
    assert await first.chats() == parts[0]
    assert await second.chats() == parts[1]
    clock.pass_seconds(20)
    await first.lease()
    clock.pass_seconds(10)
    assert await first.chats() == {*CHATS}, "this time it was away alone"
    assert await refusal(second.lease()) == LAPSED


@pytest.mark.usefixtures("photos")
async def test_another_address_or_one_that_polls_supersedes_all(client: Client) -> None:
    first, second = await share(client, "a", "b")
    elsewhere = await Bot(client, "c").join("https://other.example.org/telegram/webhook")
    assert await elsewhere.chats() == {*CHATS}
    for bot in (first, second):
        assert await refusal(bot.lease()) == SUPERSEDED
    poller = await Bot(client, "d").join("")
    assert await poller.chats() == {*CHATS}
    assert poller.bots == 0
    assert await refusal(elsewhere.confirm()) == SUPERSEDED


async def test_a_claim_is_ones_alone_while_it_lives(client: Client, clock: Clock) -> None:
    first, second = await share(client, "a", "b")
    assert await first.claim("update:1")
    assert await first.claim("update:1"), "its answer may have been lost"
    assert not await second.claim("update:1")
    assert await second.claim("update:2")
    assert await first.claim("update:1", 0)
    assert await second.claim("update:1", 3600)
    clock.pass_seconds(29)
    await first.lease()
    assert not await first.claim("update:1")
    clock.pass_seconds(1)
    assert await first.claim("update:1"), "the other one is dead"


async def test_what_goes_on_beside_is_carried_out_by_who_has_the_chat(client: Client) -> None:
    for message, user in enumerate(CHATS, 1):
        await client.receive(message, chat=user, user=user)
        export = db.BeginExportRequest(bot_id=BOT, user_id=user, message_id=message)
        await client.call(client.stub.BeginExport, export)
    begun = db.BeginBroadcastRequest(
        bot_id=BOT, user_id=CHATS[0], message_id=99, source_message_id=98, total=1
    )
    await client.call(client.stub.BeginBroadcast, begun)
    forgotten = db.BeginForgettingRequest(
        bot_id=BOT, user_id=CHATS[1], chat_id=CHATS[1], message_id=97
    )
    alone = await Bot(client, "a").join()
    assert await alone.chats() == {*CHATS}
    await client.call(client.stub.BeginForgetting, forgotten)
    second = await Bot(client, "b").join()
    await alone.lease()
    assert await second.chats() == set(), "what is carried out is seen through"
    stub = client.stub
    listed, broadcasts, elsewhere = [], [], []
    for bot in (alone, second):
        which: dict[str, Any] = {"bot_id": BOT, "holder": bot.name}
        exports = await client.call(stub.ListExports, db.ListExportsRequest(**which))
        listed.append(len(exports.exports))
        found = await client.call(stub.GetBroadcast, db.GetBroadcastRequest(**which))
        broadcasts.append(found.HasField("broadcast"))
        wishes = await client.call(stub.ListForgettings, db.ListForgettingsRequest(**which))
        elsewhere += [each.elsewhere for each in wishes.forgettings]
    assert listed == [60, 0]
    assert broadcasts == [True, False]
    assert elsewhere == [False, True]


async def test_each_home_has_time_to_forget(client: Client, clock: Clock) -> None:
    first, second = await share(client, "a", "b")
    wish = db.BeginForgettingRequest(bot_id=BOT, user_id=5, chat_id=5, message_id=1)
    await client.call(client.stub.BeginForgetting, wish)
    which = db.ListForgettingsRequest(bot_id=BOT, holder="a")
    for seconds, unfinished in ((0, True), (29, True), (1, False)):
        clock.pass_seconds(seconds)
        await first.lease()
        await second.lease()
        (each,) = (await client.call(client.stub.ListForgettings, which)).forgettings
        assert each.unfinished == unfinished


async def test_cancel_counts_for_what_comes_after_it_and_was_asked_for_before(
    client: Client,
) -> None:
    cancelled, received = db.GENERATION_STATE_CANCELLED, db.GENERATION_STATE_RECEIVED
    await client.cancel(before=10)
    states = {message: (await client.receive(message)).item.generation.state for message in (9, 11)}
    assert states == {9: cancelled, 11: received}
    asked = await client.receive(3, asking_message_id=8)
    assert asked.item.generation.state == cancelled
    again = await client.receive(11)
    assert (again.created, again.item.generation.state) == (False, received)
    for other in ({"user": 43}, {"chat": CHAT - 1}, {"bot": BOT + 1}):
        assert (await client.receive(7, **other)).item.generation.state == received, other
    words: dict[str, Any] = {"bot_id": BOT, "chat_id": CHAT, "user_id": USER}
    words["recipe"] = db.Recipe(words="a cat")
    for message, state in ((6, cancelled), (12, db.GENERATION_STATE_CAPTIONED)):
        request = db.CreateGenerationRequest(message_id=message, **words)
        made = await client.call(client.stub.CreateGeneration, request)
        assert made.item.generation.state == state
    await client.cancel(before=4)  # which comes late
    assert (await client.receive(5)).item.generation.state == cancelled


async def test_whatever_is_under_way_no_chat_has_two(client: Client) -> None:
    """Processes come, work, and go, all at once."""
    chance = random.Random(4)
    for chat in CHATS:
        await client.receive(chat=chat, user=chat)
    working: dict[int, str] = {}
    worked: set[int] = set()

    async def live(name: str) -> None:
        bot = await Bot(client, name).join()
        mine: set[int] = set()
        for _ in range(chance.randint(8, 12)):
            chats = await bot.chats(busy=mine)
            for chat in [each for each in mine if chance.random() < 0.5]:
                mine.discard(chat)
                del working[chat]
            for chat in chats - mine:
                assert chat not in working, f"{name} and {working[chat]}"
                working[chat] = name
                mine.add(chat)
                worked.add(chat)
            await asyncio.sleep(0)
        for chat in mine:
            del working[chat]
        await bot.lease(stopping=True)

    async def live_again(name: str) -> None:
        for life in range(2):
            await live(f"{name}{life}")

    await asyncio.gather(*(live_again(name) for name in "abcd"))
    assert worked == {*CHATS}
