"""Traces: what a caller's belongs to is kept in the row, and told of each call and transaction."""

import grpc
import pytest

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from lookalike import tracing
from protos.lookalike.db.v1 import db_pb2 as db
from tests.collector import SENT, traced
from tests.dbservice.client import BOT, CHAT, USER, Client

pytestmark = pytest.mark.each_database

NAME = "lookalike.db.v1.DatabaseService"
OTHER = SENT.replace("b7ad", "c0de")


def part_of(client: Client, traceparent: str) -> Client:
    other = Client(client.channel)
    other.metadata += (("traceparent", traceparent),)
    return other


async def test_a_generation_keeps_the_trace_of_what_made_it(client: Client) -> None:
    received = await part_of(client, SENT).receive(1)
    assert received.item.generation.traceparent == SENT
    again = await part_of(client, OTHER).receive(1)
    assert (again.created, again.item.generation.traceparent) == (False, SENT)
    (lease,) = await client.lease()
    assert lease.item.generation.traceparent == SENT
    words = db.CreateGenerationRequest(
        bot_id=BOT, chat_id=CHAT, user_id=USER, message_id=7, recipe=db.Recipe(words="a cat")
    )
    by_words = part_of(client, OTHER)
    created = await by_words.call(by_words.stub.CreateGeneration, words)
    assert created.item.generation.traceparent == OTHER


@pytest.mark.parametrize("traceparent", ["nonsense", SENT + "-more", SENT.upper()])
async def test_what_is_not_well_formed_is_not_kept(client: Client, traceparent: str) -> None:
    received = await part_of(client, traceparent).receive(1)
    assert received.item.generation.traceparent == ""


async def test_calls_and_transactions_are_parts_of_the_callers_trace(
    settings: DbserviceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with traced(monkeypatch) as collector:
        async with (
            running(settings) as service,
            grpc.aio.insecure_channel(service.address) as channel,
        ):
            untraced = Client(channel)
            await untraced.receive(1)
            stranger = part_of(untraced, OTHER)
            stranger.metadata = (("authorization", "Bearer nobody's"), *stranger.metadata[1:])
            with pytest.raises(grpc.aio.AioRpcError):
                await stranger.receive(1)
            client = part_of(untraced, SENT)
            lease = await client.leased(2)
            item = await client.store(lease, b"a photo")
            await client.image(photo_id=item.photo.id)
            with pytest.raises(grpc.aio.AioRpcError):
                await client.get(generation_id="5" * 36)
        tracing.end(5)
    assert {span.trace for span in collector.spans} == {SENT[3:35]}
    calls = {span.name: span for span in collector.spans if span.name.startswith(NAME)}
    assert [name.partition("/")[2] for name in calls] == [
        "ReceivePhoto",
        "LeaseGenerations",
        "StorePhoto",
        "GetImage",
        "GetGeneration",
    ]
    assert {call.parent for call in calls.values()} == {SENT.split("-")[2]}
    refused = calls[f"{NAME}/GetGeneration"]
    assert not refused.failed  # that is the caller's
    assert refused.attributes == {
        "rpc.response.status_code": "INVALID_ARGUMENT",
        "lookalike.reason": "INVALID_ARGUMENT",
    }
    (transaction,) = collector.named("transaction photos.receive")
    assert transaction.parent == calls[f"{NAME}/ReceivePhoto"].id
    system = settings.database.partition(":")[0]
    assert transaction.attributes == {"db.system.name": system}
