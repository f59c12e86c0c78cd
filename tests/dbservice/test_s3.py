"""dbservice with its bytes in S3: what a folder does, and what only a network has happen."""

import asyncio
import logging
from pathlib import Path

import grpc
import pytest
from pydantic import SecretStr

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from lookalike.blobs import new_key
from lookalike.errors import StartError
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import TOKEN, USER, Client, Refusal, refusal
from tests.dbservice.conftest import Clock, failed_start, process
from tests.dbservice.test_durability import Sweeps
from tests.dbservice.test_limits import served
from tests.dbservice.test_thumbnails import AVIF, JPEG, pictured
from tests.s3 import KEY_ID, S3, SECRET
from tests.waiting import eventually

pytestmark = pytest.mark.scale

UNAVAILABLE: Refusal = (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE", [])


@pytest.fixture
def settings(settings: DbserviceSettings, s3: S3) -> DbserviceSettings:
    changed = settings.model_dump(exclude={"service_token"}) | {"blob_url": s3.url} | s3.settings
    return DbserviceSettings(service_token=SecretStr(TOKEN), **changed)


async def test_a_photo_comes_in_a_picture_comes_back_and_both_go_with_their_user(
    client: Client, s3: S3
) -> None:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER)
    await client.close(lease)
    assert len(s3.keys()) == 2
    item = lease.item
    assert (await client.image(photo_id=item.photo.id))[1] == b"a photo"
    assert (await client.image(generation_id=item.generation.id))[1] == b"a picture"
    await client.delete(item.generation.id)
    (photo,) = s3.keys()
    assert (await client.forget()).photos == 1
    assert s3.keys() == []
    assert photo.split("/")[1].startswith(item.generation.id)


async def test_thumbnails_lie_beside_and_go_with_their_image(client: Client, s3: S3) -> None:
    key = await pictured(client, width=64, height=48)
    made = [await client.image(generation_id=key, thumbnail=how) for how in (AVIF, JPEG)]
    names = s3.keys()
    assert {Path(name).suffix for name in names} == {"", ".avif", ".jpeg"}
    assert [await client.image(generation_id=key, thumbnail=how) for how in (AVIF, JPEG)] == made
    await client.delete(key)
    assert len(s3.keys()) == 1  # the photo


async def test_a_stream_that_breaks_off_leaves_nothing(client: Client, s3: S3) -> None:
    lease = await client.leased()
    code, reason, _ = await refusal(client.store(lease, b"a photo", size=8))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert s3.keys() == s3.uploads() == []


async def test_what_no_row_names_is_swept_by_age(
    settings: DbserviceSettings, s3: S3, clock: Clock
) -> None:
    async with served(settings, clock) as client:
        for message in (1, 2):
            await client.store(await client.leased(message))
    named, old, young = s3.keys(), new_key("a" * 8, 1), new_key("b" * 8, 1)
    for name in (old, young):
        s3.put(name)
    s3.age(old, 3700)
    for name in named:
        s3.age(name, 3700)
    sweeps = Sweeps()
    async with running(settings, observers=[sweeps]):
        done = await sweeps.done.get()
    assert (done.named, done.unnamed, done.deleted) == (2, 1, True)
    assert s3.keys() == sorted([*named, young])


async def test_while_it_is_away_calls_are_refused_and_then_all_goes_on(
    client: Client, s3: S3
) -> None:
    lease = await client.leased(USER)
    s3.go_away()
    assert await refusal(client.store(lease)) == UNAVAILABLE
    began = await client.leased(2)  # rows need no S3
    s3.come_back()
    item = await client.store(lease)
    await client.store(began)
    s3.go_away()
    assert await refusal(client.image(photo_id=item.photo.id)) == UNAVAILABLE
    s3.come_back()
    assert (await client.image(photo_id=item.photo.id))[1] == b"a photo"


async def test_a_bucket_that_goes_missing_costs_nobody_a_photo(client: Client, s3: S3) -> None:
    item = await client.store(await client.leased())
    s3.remove_bucket()
    assert await refusal(client.image(photo_id=item.photo.id)) == UNAVAILABLE


async def test_what_was_forgotten_while_it_was_away_goes_at_the_next_start(
    settings: DbserviceSettings, s3: S3, clock: Clock
) -> None:
    async with served(settings, clock) as client:
        await client.close(await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER))
        s3.go_away()
        assert await refusal(client.forget()) == UNAVAILABLE
        s3.come_back()
    async with served(settings, clock):
        await eventually(lambda: _gone(s3))


async def _gone(s3: S3) -> bool | None:
    return None if s3.keys() else True


async def test_no_log_line_and_no_answer_has_anything_of_the_credentials(
    client: Client, s3: S3, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lease = await client.leased()
    s3.go_away()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.store(lease)
    s3.come_back()
    said = f"{caplog.text} {caught.value}"
    assert "S3 does not answer" in caplog.text
    for secret in (KEY_ID, SECRET, s3.endpoint, "eu-central-1"):
        assert secret not in said


async def test_the_figures_of_the_disk_are_those_of_the_database(client: Client) -> None:
    request = db.GetStatisticsRequest(bot_id=1)
    assert (await client.call(client.stub.GetStatistics, request)).free_bytes > 0


async def test_a_bucket_that_is_not_there_is_one_sentence(settings: DbserviceSettings) -> None:
    missing = settings.model_copy(update={"blob_url": "s3://nobodys"})
    with pytest.raises(StartError, match="s3://nobodys cannot be used: the bucket is not there"):
        async with running(missing):
            pass


@pytest.mark.slow
@pytest.mark.parametrize("away", [False, True])
async def test_as_a_process(
    tmp_path_factory: pytest.TempPathFactory, s3: S3, *, away: bool
) -> None:
    home = tmp_path_factory.mktemp("home")
    told = {**s3.environment, "BLOB_URL": s3.url if away else "s3://nobodys/photos"}
    if away:
        s3.go_away()
    code, log = await failed_start(home, **told)
    assert code == (75 if away else 78)
    assert log[-1].startswith(f"lookalike dbservice: {told['BLOB_URL']} cannot be used: ")
    assert not [line for line in log if "Traceback" in line or SECRET in line or KEY_ID in line]


@pytest.mark.slow
async def test_killed_while_it_uploads_it_goes_on(
    tmp_path_factory: pytest.TempPathFactory, s3: S3
) -> None:
    home = tmp_path_factory.mktemp("home")
    told = {**s3.environment, "BLOB_URL": s3.url}
    (home / ".env").write_text("".join(f"{name}={value}\n" for name, value in told.items()))
    data = bytes(12_000_000)
    async with process(home, []) as (service, client):
        lease = await client.leased()
        storing = asyncio.create_task(client.store(lease, data))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(service.kill)
        await asyncio.wait({storing})
        storing.exception()
    async with process(home, []) as (service, client):
        item = await client.store(lease, data)
        assert (await client.image(photo_id=item.photo.id))[1] == data
