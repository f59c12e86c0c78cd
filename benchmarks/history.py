"""What years of history cost: dbservice's RPCs on tables of several sizes.

    python -m benchmarks.history [--rows 1000000]

The tables hold closed generations, a fifth of them one user's, and are made by SQL; what is
measured is a real dbservice on them, by gRPC. Figures are medians; nothing is asserted.
"""

import argparse
import asyncio
import hashlib
import os
import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
from pydantic import SecretStr

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from protos.lookalike.db.v1 import db_pb2 as db
from protos.lookalike.db.v1.db_pb2_grpc import DatabaseServiceStub

SIZES = (10_000, 100_000, 1_000_000)

BARS = {
    "LeaseGenerations, nothing to do": "3 ms",
    "GetStatus": "3 ms",
    "ListHistory, newest page": "5 ms",
    "ListHistory, a page in the middle": "5 ms",
    "ListHistory, oldest page": "5 ms",
    "ReceivePhoto": "6 ms",
}
"""What was asked for on the largest table; of all others, 1.5 times what the smallest one takes."""

_MOVING = "GetStatus of another, 99 of 100, while a chat moves"
_SEARCHING = "GetStatus of another, 99 of 100, while pictures are looked for"
_FORGETTING = "GetStatus of another, 99 of 100, while a user is forgotten"
_FLOOD = "LeaseGenerations, two fifths unclosed, one user's"

_PAGES = {"newest page": "", "a page in the middle": "o{middle:x}", "oldest page": "o32"}
"""Cursors; the heavy user has every fifth generation, hence nine that are older than number 50."""

_TOKEN = "the-token-of-the-benchmark"
_METADATA = (("authorization", f"Bearer {_TOKEN}"),)
_BOT, _HEAVY, _FLOODER = 1, 42, 43
"""A private chat has its user's id."""

_WHO: Any = {"bot_id": _BOT, "chat_id": _HEAVY, "user_id": _HEAVY}
_ROUNDS = 100
_SEARCH_EACH = 20  # rounds: it reads up to 20,000 pictures
_PICTURE = b"a picture"

_FILL = """
PRAGMA synchronous = OFF;
PRAGMA cache_size = -500000;
BEGIN;
CREATE TEMP TABLE one AS
    WITH RECURSIVE one (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM one LIMIT {rows})
    SELECT number, CASE number % 5 WHEN 0 THEN {heavy} ELSE 1000 + number % 1000 END AS owner,
        lower(printf('%s-%s-5%s-8%s-%s', hex(randomblob(4)), hex(randomblob(2)),
            substr(hex(randomblob(2)), 2), substr(hex(randomblob(2)), 2), hex(randomblob(6)))) AS id
    FROM one;
INSERT INTO photos (id, bot_id, chat_id, message_id, user_id, language_code, file_id, file_size,
    user_text, received_at, caption_text, caption_captioner, caption_model, image_key,
    image_media_type, image_width, image_height, image_size, image_sha256)
    SELECT id, {bot}, owner, number, owner, 'en', hex(randomblob(36)), 100000, '',
        '2020-01-01 00:00:00.000000', 'a tabby cat on a sofa beside a window', 'blip', 'base', id,
        'image/jpeg', 1280, 960, 100000, hex(randomblob(32)) FROM one;
INSERT INTO generations (number, id, photo_id, bot_id, chat_id, user_id, n, state, prompt,
    negative_prompt, preset, seed, sending_unseen, result_message_id, user_notified, image_key,
    image_media_type, image_width, image_height, image_size, image_sha256, picture_seed,
    picture_model, picture_file_id, created_at, closed_at, lease_holder, lease_expires_at, fence)
    SELECT number, '0' || substr(id, 2), id, {bot}, owner, owner, 0, 'delivered',
        'a tabby cat on a sofa beside a window', '', '', number, 0, number, 1, 'g' || id,
        'image/png', 512, 512, 400000, hex(randomblob(32)), number, 'stable-diffusion-v1-5',
        hex(randomblob(36)), '2020-01-01 00:00:00.000000', '2020-01-01 00:01:00.000000',
        'a-machine/127.0.0.1:5003', '2020-01-01 00:01:30.000000', 1 FROM one;
INSERT INTO sent_messages (bot_id, chat_id, message_id, generation, kind)
    SELECT {bot}, owner, number, number, 'picture' FROM one;
COMMIT;
"""


@dataclass
class _Clocked:
    """A client that notes how long each call takes.

    Attributes:
        stub: the RPCs.
        seconds: of each call, by its name.
    """

    stub: DatabaseServiceStub
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def call(self, name: str, rpc: Any, request: Any) -> Any:
        """Calls an RPC, which is known by this name."""
        began = time.perf_counter()
        response = await _at_once(rpc, request)
        self.seconds[name].append(time.perf_counter() - began)
        return response

    @property
    def medians(self) -> dict[str, float]:
        """In milliseconds."""
        return {name: 1000 * statistics.median(taken) for name, taken in self.seconds.items()}


def measure(sizes: Sequence[int]) -> dict[int, dict[str, float]]:
    """Measures all, in turns, so that the machine's changing pace meets all tables alike.

    Args:
        sizes: generations in the tables.

    Returns:
        For each table the median milliseconds of each RPC.
    """
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure({rows: _settings(Path(folder, str(rows))) for rows in sizes}))


def _settings(home: Path) -> DbserviceSettings:
    return DbserviceSettings(
        lookalike_home=home, dbservice_listen="127.0.0.1:0", service_token=SecretStr(_TOKEN)
    )


async def _measure(tables: Mapping[int, DbserviceSettings]) -> dict[int, dict[str, float]]:
    for rows, settings in tables.items():
        async with running(settings):
            pass  # it makes the tables
        _write(settings, _FILL.format(rows=rows, bot=_BOT, heavy=_HEAVY))
    async with _clients(tables) as clients:
        for number in range(1, _ROUNDS + 1):
            for rows, client in clients.items():
                await _look(client, rows, number)
                await _work(client, number)
        beside = {rows: await _beside(client.stub) for rows, client in clients.items()}
    unclosed = f"closed_at = NULL, state = 'received', user_id = {_FLOODER}"
    for rows, settings in tables.items():
        _write(settings, f"UPDATE generations SET {unclosed} WHERE number <= {rows * 2 // 5}")
    async with _clients(tables) as flooded:
        for _ in range(_ROUNDS // 10):
            for client in flooded.values():
                await client.call(_FLOOD, client.stub.LeaseGenerations, _lease())
    return {rows: clients[rows].medians | beside[rows] | flooded[rows].medians for rows in tables}


def _write(settings: DbserviceSettings, script: str) -> None:
    """Writes by SQL, and waits until it is on the disk: no later sync has to."""
    path = settings.database.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
    connection.close()
    with Path(path).open("rb") as file:
        os.fsync(file.fileno())


@asynccontextmanager
async def _clients(tables: Mapping[int, DbserviceSettings]) -> AsyncIterator[dict[int, _Clocked]]:
    async with AsyncExitStack() as stack:
        clients = {}
        for rows, settings in tables.items():
            service = await stack.enter_async_context(running(settings))
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(service.address))
            clients[rows] = _Clocked(DatabaseServiceStub(channel))
        yield clients


def _lease() -> db.LeaseGenerationsRequest:
    return db.LeaseGenerationsRequest(bot_id=_BOT, holder="benchmark")


def _query(words: str = "") -> db.FindPicturesRequest:
    return db.FindPicturesRequest(bot_id=_BOT, user_id=_HEAVY, words=words)


async def _look(client: _Clocked, rows: int, number: int) -> None:
    """What the bot and the heavy user ask for, while there is nothing to do."""
    stub = client.stub
    await client.call("LeaseGenerations, nothing to do", stub.LeaseGenerations, _lease())
    await client.call("GetStatus", stub.GetStatus, db.GetStatusRequest(**_WHO))
    for page, cursor in _PAGES.items():
        request = db.ListHistoryRequest(**_WHO, cursor=cursor.format(middle=rows // 2))
        await client.call(f"ListHistory, {page}", stub.ListHistory, request)
    await client.call("GetStatistics", stub.GetStatistics, db.GetStatisticsRequest(bot_id=_BOT))
    await client.call("FindPictures, newest page", stub.FindPictures, _query())
    gallery = db.FindPicturesRequest(
        bot_id=_BOT, user_id=_HEAVY, with_unsent=True, cursor=f"{rows // 2:x}"
    )
    await client.call("FindPictures, a gallery's page", stub.FindPictures, gallery)
    if number % _SEARCH_EACH == 0:
        await client.call("FindPictures, nothing found", stub.FindPictures, _query("nowhere"))
    nothing = db.CancelGenerationsRequest(**_WHO)
    await client.call("CancelGenerations, none", stub.CancelGenerations, nothing)


async def _work(client: _Clocked, number: int) -> None:
    """A photo of the heavy user, from its arrival to its closing, and another one for it."""
    stub = client.stub
    photo = db.ReceivePhotoRequest(**_WHO, message_id=10**9 + number, file_id="x")
    item = (await client.call("ReceivePhoto", stub.ReceivePhoto, photo)).item
    leases = await client.call("LeaseGenerations, one", stub.LeaseGenerations, _lease())
    (lease,) = leases.leases
    names = {"generation_id": item.generation.id, "fence": lease.fence}
    image = db.ImageInfo(
        media_type="image/png",
        width=8,
        height=8,
        size=len(_PICTURE),
        sha256=hashlib.sha256(_PICTURE).hexdigest(),
    )
    info = db.StorePhotoRequest.Info(**names, image=image)
    parts = [db.StorePhotoRequest(info=info), db.StorePhotoRequest(chunk=_PICTURE)]
    await client.call("StorePhoto", stub.StorePhoto, iter(parts))
    caption = db.GenerationPatch(
        caption=db.Caption(text="a cat", captioner="offline", model="m"), prompt="a cat"
    )
    steps = (db.GENERATION_STATE_STORED, db.GENERATION_STATE_CAPTIONED, db.GENERATION_STATE_RUNNING)
    for here, there in pairwise(steps):
        step = db.AdvanceGenerationRequest(**names, from_state=here, to_state=there, patch=caption)
        await client.call("AdvanceGeneration", stub.AdvanceGeneration, step)
    picture = db.Picture(image=image, seed=1, model="m")
    end = db.FinalizeGenerationRequest.Info(**names, picture=picture)
    last = [db.FinalizeGenerationRequest(info=end), db.FinalizeGenerationRequest(chunk=_PICTURE)]
    await client.call("FinalizeGeneration", stub.FinalizeGeneration, iter(last))
    here, there = db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED
    step = db.AdvanceGenerationRequest(**names, from_state=here, to_state=there)
    await client.call("AdvanceGeneration", stub.AdvanceGeneration, step)
    close = db.CloseGenerationRequest(**names)
    await client.call("CloseGeneration", stub.CloseGeneration, close)
    one = db.GetGenerationRequest(**_WHO, generation_id=item.generation.id)
    await client.call("GetGeneration", stub.GetGeneration, one)
    family = db.GetFamilyRequest(bot_id=_BOT, user_id=_HEAVY, generation_id=item.generation.id)
    await client.call("GetFamily", stub.GetFamily, family)
    again = db.CreateGenerationRequest(**_WHO, parent_id=item.generation.id, message_id=1)
    made = await client.call("CreateGeneration", stub.CreateGeneration, again)
    unwanted = db.CancelGenerationsRequest(**_WHO, generation_id=made.item.generation.id)
    await client.call("CancelGenerations, one", stub.CancelGenerations, unwanted)
    leases = await client.call("LeaseGenerations, one", stub.LeaseGenerations, _lease())
    (lease,) = leases.leases
    close = db.CloseGenerationRequest(generation_id=made.item.generation.id, fence=lease.fence)
    await client.call("CloseGeneration", stub.CloseGeneration, close)


async def _at_once(rpc: Any, request: Any) -> Any:
    return await rpc(request, metadata=_METADATA, timeout=3600)


async def _beside(stub: DatabaseServiceStub) -> dict[str, float]:
    """How long another's GetStatus takes while the heavy user is moved and then forgotten."""
    searching = await _waited(stub, stub.FindPictures, _query("nowhere"))
    photo = db.ReceivePhotoRequest(**_WHO, message_id=2 * 10**9, file_id="x")
    item = (await _at_once(stub.ReceivePhoto, photo)).item
    (lease,) = (await _at_once(stub.LeaseGenerations, _lease())).leases
    names = {"generation_id": item.generation.id, "fence": lease.fence}
    here, moved = db.GENERATION_STATE_RECEIVED, db.GenerationPatch(chat_id=-_HEAVY)
    move = db.AdvanceGenerationRequest(**names, from_state=here, to_state=here, patch=moved)
    moving = await _waited(stub, stub.AdvanceGeneration, move)
    whose: Any = {"bot_id": _BOT, "user_id": _HEAVY}
    unwanted = db.CancelGenerationsRequest(**whose, chat_id=-_HEAVY)
    await _at_once(stub.CancelGenerations, unwanted)
    await _at_once(stub.CloseGeneration, db.CloseGenerationRequest(**names))
    forgetting = await _waited(stub, stub.ForgetUser, db.ForgetUserRequest(**whose))
    return {_SEARCHING: searching, _MOVING: moving, _FORGETTING: forgetting}


async def _waited(stub: DatabaseServiceStub, rpc: Any, request: Any) -> float:
    """Milliseconds within which 99 of 100 GetStatus of another user end while an RPC goes on."""
    other = db.GetStatusRequest(bot_id=_BOT, chat_id=1001, user_id=1001)
    under_way = asyncio.create_task(_at_once(rpc, request))
    waited = []
    while not under_way.done():
        began = time.perf_counter()
        await _at_once(stub.GetStatus, other)
        waited.append(time.perf_counter() - began)
    await under_way
    return 1000 * sorted(waited)[len(waited) * 99 // 100]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history")
    parser.add_argument("--rows", type=int, action="append", help="may be given several times")
    found = measure(parser.parse_args().rows or SIZES)
    print(f"{'median, ms':55}", *(f"{rows:>10,}" for rows in found))
    for name in next(iter(found.values())):
        print(f"{name:55}", *(f"{medians[name]:10.2f}" for medians in found.values()))


if __name__ == "__main__":
    main()
