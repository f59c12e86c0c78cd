"""Two dbservices on one PostgreSQL database: what one of them decides holds for the other."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from dbservice.errors import Reason, ServiceError
from dbservice.models import DayTotals, Generation, KeptOfAll, KeptOfUser, Photo
from dbservice.store import MIGRATIONS, Store, Transaction
from dbservice.tombstones import Tombstones
from dbservice.transactions import (
    access,
    burial,
    creation,
    epochs,
    forgetting,
    generations,
    leases,
    photos,
    users,
)
from dbservice.transactions.limits import Limits
from dbservice.transactions.quotas import Quotas
from lookalike.database import create_engine
from lookalike.errors import StartError
from lookalike.migrations import migrate
from protos.lookalike.db.v1 import db_pb2 as db
from tests import postgresql
from tests.dbservice.client import BOT, CHAT, USER

pytestmark = [pytest.mark.slow, pytest.mark.scale]

STATE = db.GenerationState
HERE: dict[str, Any] = {"bot_id": BOT, "chat_id": CHAT}
MANY = Limits(1000)


def quotas(user: int | None = None, bot: int | None = None) -> Quotas:
    return Quotas(user, bot, None, lambda bot_id, chat_id: f"{bot_id}:{chat_id}")


@pytest.fixture
async def stores(server: postgresql.Server, template: str) -> AsyncIterator[Sequence[Store]]:
    name = server.create(template)
    two = [Store(create_engine(server.url(name))) for _ in range(2)]
    yield two
    for store in two:
        await store.close()
    server.drop(name)


async def at_once(calls: Sequence[Awaitable[object]]) -> list[object]:
    """What each gives, or its refusal."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, ServiceError):
            raise each
    return found


def reasons(found: Sequence[object]) -> Counter[str]:
    return Counter(each.reason if isinstance(each, ServiceError) else "" for each in found)


async def receive(
    store: Store,
    number: int,
    user: int = USER,
    allowed: Limits = MANY,
    bounds: Quotas | None = None,
) -> db.ReceivePhotoResponse:
    request = db.ReceivePhotoRequest(
        **HERE, message_id=number, user_id=user, file_id=f"f{number}", file_size=1
    )
    return await store.transact(photos.receive, request, allowed, bounds or quotas(), "")


async def lease(store: Store, holder: str, limit: int = 0) -> db.LeaseGenerationsResponse:
    request = db.LeaseGenerationsRequest(bot_id=BOT, holder=holder, limit=limit)
    return await store.transact(leases.lease, request)


async def advance(store: Store, of: db.LeaseGenerationsResponse.Lease, to: STATE) -> db.Item:
    row = await store.transact(_state, of.item.generation.id)
    request = db.AdvanceGenerationRequest(
        generation_id=of.item.generation.id, fence=of.fence, from_state=row, to_state=to
    )
    if to == db.GENERATION_STATE_CAPTIONED:
        request.patch.caption.text = request.patch.prompt = "a cat"
        request.patch.caption.captioner = "offline"
    return (await store.transact(generations.advance, request)).item


def _state(transaction: Transaction, key: str) -> STATE:
    return transaction.session.scalars(select(Generation.state).where(Generation.id == key)).one()


def image(size: int) -> db.ImageInfo:
    return db.ImageInfo(media_type="image/png", width=1, height=1, size=size, sha256=f"{size:064x}")


async def keep(store: Store, of: db.LeaseGenerationsResponse.Lease, size: int) -> None:
    info = db.StorePhotoRequest.Info(
        generation_id=of.item.generation.id, fence=of.fence, image=image(size)
    )
    await store.transact(photos.store, info, f"{of.item.generation.id}-{of.fence}-{size}")


async def test_no_generation_is_leased_twice(stores: Sequence[Store]) -> None:
    for number in range(1, 61):
        await receive(stores[0], number, user=number % 7 + 1)
    for _ in range(3):
        found = await asyncio.gather(
            *(lease(stores[n % 2], f"holder-{n}", limit=20) for n in range(16))
        )
        held = [each.item.generation.id for one in found for each in one.leases]
        assert len(held) == len({*held}), "two hold the same"
        released = db.LeaseGenerationsRequest(bot_id=BOT, stopping=True)
        for n in range(16):
            released.holder = f"holder-{n}"
            await stores[0].transact(leases.lease, released)


@pytest.mark.parametrize("bound", ["of the user", "of the bot", "unfinished"])
async def test_no_more_is_begun_than_may_be(stores: Sequence[Store], bound: str) -> None:
    bounds = quotas(*{"of the user": (5,), "of the bot": (None, 5)}.get(bound, ()))
    allowed = Limits(5) if bound == "unfinished" else MANY
    user = itertools.count(1) if bound == "of the bot" else itertools.repeat(USER)
    found = await at_once(
        [receive(stores[n % 2], n, next(user), allowed, bounds) for n in range(1, 25)]
    )
    assert reasons(found)[""] == 5
    assert await stores[1].transact(_totals) == 5


def _totals(transaction: Transaction) -> int:
    return transaction.session.scalars(select(DayTotals.pictures)).one()


async def test_the_same_photo_and_the_same_press_are_one(stores: Sequence[Store]) -> None:
    found = await asyncio.gather(*(receive(stores[n % 2], 1) for n in range(12)))
    assert sum(each.created for each in found) == 1
    (of,) = (await lease(stores[0], "a")).leases
    await keep(stores[0], of, 5)
    await advance(stores[0], of, db.GENERATION_STATE_CAPTIONED)

    def press(n: int) -> Awaitable[db.CreateGenerationResponse]:
        request = db.CreateGenerationRequest(
            **HERE, user_id=USER, parent_id=of.item.generation.id, message_id=9, button="again"
        )
        return stores[n % 2].transact(creation.create, request, MANY, quotas(), "")

    pressed = await asyncio.gather(*map(press, range(12)))
    assert sum(each.created for each in pressed) == 1
    assert {each.item.generation.id for each in pressed}.isdisjoint({of.item.generation.id})


async def test_either_cancel_or_finish_wins(stores: Sequence[Store]) -> None:
    for number in range(1, 21):
        await receive(stores[0], number)
        of = (await lease(stores[0], "a", limit=1)).leases[0]
        await keep(stores[0], of, 5)
        for state in (
            db.GENERATION_STATE_CAPTIONED,
            db.GENERATION_STATE_QUEUED,
            db.GENERATION_STATE_RUNNING,
        ):
            await advance(stores[0], of, state)
        cancel = db.CancelGenerationsRequest(
            **HERE, user_id=USER, generation_id=of.item.generation.id
        )
        info = db.FinalizeGenerationRequest.Info(
            generation_id=of.item.generation.id,
            fence=of.fence,
            picture=db.Picture(image=image(7), seed=1, model="m"),
        )
        finished, cancelled = await at_once(
            [
                stores[0].transact(generations.finish, info, f"key-{number}"),
                stores[1].transact(generations.cancel, cancel),
            ]
        )
        assert isinstance(cancelled, db.CancelGenerationsResponse)
        has_finished = not isinstance(finished, ServiceError)
        assert has_finished != bool(cancelled.cancelled_count), "both were told that they won"
        cancel.generation_id = ""
        state = await stores[0].transact(_state, of.item.generation.id)
        assert (state == db.GENERATION_STATE_FINISHED) == has_finished
        close = await _end(stores[0], of, has_finished=has_finished)
        assert close.item.generation.id == of.item.generation.id


async def _end(
    store: Store, of: db.LeaseGenerationsResponse.Lease, *, has_finished: bool
) -> db.CloseGenerationResponse:
    if has_finished:
        await advance(store, of, db.GENERATION_STATE_DELIVERED)
    request = db.CloseGenerationRequest(generation_id=of.item.generation.id, fence=of.fence)
    return await store.transact(generations.close, request, quotas())


async def test_an_invite_lets_in_as_many_as_it_says(stores: Sequence[Store]) -> None:
    made = await stores[0].transact(
        access.invite, db.CreateInviteRequest(bot_id=BOT, max_uses=3, lifetime_seconds=3600)
    )

    def redeem(user: int) -> Awaitable[db.RedeemInviteResponse]:
        request = db.RedeemInviteRequest(bot_id=BOT, user_id=user, secret=made.secret)
        return stores[user % 2].transact(access.redeem, request)

    found = Counter(each.redemption for each in await asyncio.gather(*map(redeem, range(1, 17))))
    assert found == {db.REDEMPTION_ACCEPTED: 3, db.REDEMPTION_USED_UP: 13}


async def test_a_bot_has_one_owner_and_one_latest_epoch(stores: Sequence[Store]) -> None:
    claims = await asyncio.gather(
        *(
            stores[n % 2].transact(access.claim, db.ClaimBotRequest(bot_id=BOT, user_id=n + 1))
            for n in range(12)
        )
    )
    assert sum(each.owner for each in claims) == 1
    begun = await asyncio.gather(
        *(stores[n % 2].transact(epochs.begin, db.BeginEpochRequest(bot_id=BOT)) for n in range(12))
    )
    numbers = {each.epoch for each in begun}
    assert len(numbers) == 12
    confirmed = await at_once(
        [
            store.transact(epochs.confirm, db.ConfirmEpochRequest(bot_id=BOT, epoch=number))
            for number in numbers
            for store in stores
        ]
    )
    assert reasons(confirmed) == {"": 2, Reason.SUPERSEDED: 22}


async def test_nothing_of_who_is_forgotten_comes_in_meanwhile(stores: Sequence[Store]) -> None:
    for user in range(1, 16):
        forget = db.BeginForgettingRequest(**HERE, user_id=user, message_id=900)
        await at_once(
            [
                *(receive(stores[n % 2], 10 * user + n, user) for n in range(4)),
                stores[user % 2].transact(forgetting.begin, forget, f"who-{user}", "q"),
            ]
        )
    assert await stores[0].transact(_states) <= {db.GENERATION_STATE_UNDELIVERABLE}


def _states(transaction: Transaction) -> set[STATE]:
    return {*transaction.session.scalars(select(Generation.state).distinct())}


async def test_what_is_kept_is_counted_once(stores: Sequence[Store]) -> None:
    for number in range(1, 33):
        await receive(stores[0], number, user=number % 3 + 1)
    all_leased = (await lease(stores[0], "a")).leases
    await asyncio.gather(*(keep(stores[n % 2], of, n + 1) for n, of in enumerate(all_leased)))
    assert await stores[0].transact(_kept) == (528, 528, 528)
    for of in all_leased:
        cancel = db.CancelGenerationsRequest(
            **HERE, user_id=of.item.photo.user_id, generation_id=of.item.generation.id
        )
        await stores[0].transact(generations.cancel, cancel)
        await _end(stores[0], of, has_finished=False)
    forget = [db.ForgetUserRequest(bot_id=BOT, user_id=n % 3 + 1) for n in range(12)]
    await asyncio.gather(
        *(stores[n % 2].transact(users.forget, each) for n, each in enumerate(forget))
    )
    assert await stores[0].transact(_kept) == (0, 0, 0)


def _kept(transaction: Transaction) -> tuple[int, ...]:
    sums = (func.sum(KeptOfUser.bytes), func.sum(KeptOfAll.bytes), func.sum(Photo.image_size))
    return tuple(int(transaction.session.scalars(select(each)).one() or 0) for each in sums)


async def test_two_upgrade_at_once(server: postgresql.Server) -> None:
    name = server.create()
    engines = [create_engine(server.url(name)) for _ in range(4)]
    await asyncio.gather(*(asyncio.to_thread(migrate, each, MIGRATIONS) for each in engines))
    store = Store(engines[0])
    await receive(store, 1)
    await store.close()
    for engine in engines:
        engine.dispose()
    server.drop(name)


async def test_homes_that_share_a_database_share_their_key(
    stores: Sequence[Store], tmp_path: Path
) -> None:
    ours, others = Tombstones(tmp_path / "ours"), Tombstones(tmp_path / "others")
    assert await stores[0].transact(burial.agree, ours.fingerprint)
    assert await stores[1].transact(burial.agree, ours.fingerprint)
    assert not await stores[1].transact(burial.agree, others.fingerprint)


def test_a_server_that_is_away_is_one_sentence(server: postgresql.Server) -> None:
    engine = create_engine(server.url("nowhere").replace("lookalike@", "lookalike:hidden@"))
    with pytest.raises(StartError, match=r"nowhere.*cannot be used") as told:
        migrate(engine, MIGRATIONS)
    assert "hidden" not in str(told.value)
    engine.dispose()
