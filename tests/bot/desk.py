"""Everything that a stage works with, for real and in the test's own event loop.

dbservice, the sandbox's Telegram and the generator run on real ports. Two parts do what a test
says: the captioner, and the executor behind the generator.
"""

import asyncio
import io
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import SecretStr
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bot.captioners.base import Caption
from bot.clients.dbservice import DatabaseClient, image_info
from bot.clients.errors import DatabaseUnavailable
from bot.clients.generator import GeneratorClient
from bot.messenger import Messenger
from bot.observed import ObservedCalls
from bot.observers import (
    Closed,
    Delivered,
    Ending,
    Observer,
    RpcDone,
    SendDone,
    StageBegun,
    StageEnded,
)
from bot.pace import EditPace
from bot.services import Services
from bot.settings import BotSettings
from bot.work.incarnation import Incarnation
from bot.work.item import WorkItem
from bot.work.leasing import Leasing
from dbservice import server as dbservice
from dbservice.settings import DbserviceSettings
from generator import server as generator
from generator.settings import GeneratorSettings
from protos.lookalike.db.v1 import db_pb2 as db
from sandbox import server as sandbox
from sandbox.settings import SandboxSettings
from tests.generator.scripted import ScriptedExecutor
from tests.sandbox.client import LOOPBACK, People, ShownMessage
from tests.waiting import eventually

BOT = 10001
BOT_TOKEN = f"{BOT}:a-token-of-the-sandbox-in-one-process"
SERVICE_TOKEN = "the-token-between-the-services"
CAPTION = Caption("a cat on a sofa", 0.8, "scripted-1")


@cache
def picture(kind: str = "JPEG", width: int = 120, height: int = 90) -> bytes:
    """An image file."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(file, kind)
    return file.getvalue()


class ScriptedCaptioner:
    """Says `CAPTION`, or what the script says, in its order; waits while `free` is cleared."""

    name = "offline"

    def __init__(self) -> None:
        self.script: list[Exception] = []
        self.asked: list[bytes] = []
        self.begun = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()

    async def caption(self, image: bytes) -> Caption:
        self.asked.append(image)
        self.begun.set()
        await self.free.wait()
        if self.script:
            raise self.script.pop(0)
        return CAPTION

    async def close(self) -> None:
        return


class Listener(Observer):
    """Keeps what was announced."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, str]] = []
        self.begun: list[str] = []
        self.calls: Counter[str] = Counter()
        self.sends: list[tuple[str, str]] = []
        self.deliveries: list[Delivered] = []
        self.endings: list[Ending] = []

    def stage_begun(self, event: StageBegun) -> None:
        self.begun.append(event.stage)

    def stage_ended(self, event: StageEnded) -> None:
        assert event.generation_id
        assert event.seconds >= 0
        self.stages.append((event.stage, event.outcome))

    def delivered(self, event: Delivered) -> None:
        self.deliveries.append(event)

    def closed(self, event: Closed) -> None:
        self.endings += event.endings

    def send_done(self, event: SendDone) -> None:
        assert event.seconds >= 0
        self.sends.append((event.method, event.outcome))

    def rpc_done(self, event: RpcDone) -> None:
        assert event.seconds >= 0
        self.calls[f"{event.service} {event.method}"] += 1


class Database(DatabaseClient):
    """The real client; what `refuse` finds, never reaches dbservice."""

    refuse: Callable[[db.AdvanceGenerationRequest], bool] | None = None

    async def advance_generation(self, request: db.AdvanceGenerationRequest) -> db.Item:
        if self.refuse is not None and self.refuse(request):
            raise DatabaseUnavailable("UNAVAILABLE: as the test says")
        return await super().advance_generation(request)


@dataclass
class Desk:
    """The parts, a chat with one person in it, and the settings of a bot that would use them."""

    home: Path
    settings: BotSettings
    people: People
    chat: int
    executor: ScriptedExecutor
    captioner: ScriptedCaptioner
    listener: Listener
    database: Database
    services: Services
    incarnation: Incarnation

    async def receive(
        self, photo: ShownMessage, *, language_code: str = "en", **request: Any
    ) -> WorkItem:
        """Records what was sent as the bot does, and leases it."""
        file_id = photo.photo or photo.document
        assert file_id is not None
        received = await self.database.receive_photo(
            db.ReceivePhotoRequest(
                bot_id=BOT,
                chat_id=photo.chat_id,
                message_id=photo.id,
                user_id=photo.sender_id,
                language_code=language_code,
                file_id=file_id,
                **request,
            )
        )
        return await self.lease(received.item.generation.id)

    async def lease(self, generation_id: str) -> WorkItem:
        """A generation as a tick gets it."""
        if await self.incarnation.is_newest() is False:  # a process of the test's came after it
            self.incarnation = Incarnation(self.database, BOT)
        (item,) = [item for item in await self.leasing.lease({}) if item.id == generation_id]
        return item

    @property
    def leasing(self) -> Leasing:
        """The leases of the desk's own process."""
        return Leasing(self.database, self.services.memories, BOT, self.incarnation)

    async def received(self, **request: Any) -> WorkItem:
        """A photo that has just arrived."""
        return await self.receive(await self.people.send_photo(self.chat, picture()), **request)

    async def stored(self, **request: Any) -> WorkItem:
        """A photo that is stored."""
        item = await self.received(**request)
        data = picture()
        await item.store_photo(image_info(data, "image/jpeg", 120, 90), data)
        return item

    async def captioned(self, **request: Any) -> WorkItem:
        """A generation that can be submitted."""
        item = await self.stored(**request)
        said = db.Caption(text=CAPTION.text, captioner="offline", model=CAPTION.model)
        await item.advance(db.GENERATION_STATE_CAPTIONED, caption=said, prompt=said.text)
        return item

    async def queued(self, **request: Any) -> WorkItem:
        """A generation whose job waits at the generator; nobody has looked at it yet."""
        item = await self.captioned(**request)
        job = await self.services.generator.submit(item.id, item.generation.parameters, item.owner)
        item.memory.job_submitted(item.id, job)
        item.memory.take_news(item.id)
        await item.advance(db.GENERATION_STATE_QUEUED)
        return item

    async def finished(self, png: bytes | None = None) -> WorkItem:
        """A generation whose picture is stored."""
        item = await self.queued()
        png = png or picture("PNG")
        image = image_info(png, "image/png", 120, 90)
        made = db.Picture(image=image, seed=7, model="scripted")
        await item.finalize(item.parts[0], png, picture=made)
        return item

    async def choose(self, pictures: int) -> None:
        """The person wants so many pictures at once from now on."""
        request = db.ChangeSettingsRequest(
            bot_id=BOT, user_id=self.chat, settings=db.UserSettings(pictures=pictures)
        )
        await self.database.change_settings(request)

    async def finished_set(self, pictures: int = 4, *, lost: int = 0) -> WorkItem:
        """A set of which all pictures are stored but the first few, which are lost."""
        await self.choose(pictures)
        item = await self.captioned()
        await item.advance(db.GENERATION_STATE_QUEUED)
        png = picture("PNG")
        image = image_info(png, "image/png", 120, 90)
        for part in item.parts:
            if part.place <= lost:
                await item.finalize(part, failed=db.Error(code="gave-up"))
            else:
                made = db.Picture(image=image, seed=part.place, model="scripted")
                await item.finalize(part, png, picture=made)
        return item

    async def job_state(self, item: WorkItem, *states: str) -> str:
        """Waits until the generator says that the job is in one of these states."""

        async def look() -> str | None:
            job = await self.services.generator.get_job(item.id)
            return job.state if job.state in states else None

        return await eventually(look)

    def without_generator(self) -> Services:
        """The services while nobody listens where the generator should be."""
        nobody = GeneratorClient("http://127.0.0.1:1", SERVICE_TOKEN)
        return replace(self.services, generator=nobody)

    async def messages(self) -> list[ShownMessage]:
        """What the bot has said in the chat."""
        return [message for message in await self.people.messages(self.chat) if message.from_bot]

    async def texts(self) -> list[str]:
        """The texts among them."""
        return [message.text for message in await self.messages() if message.text]


def lose(home: Path, data: bytes) -> None:
    """Deletes a photo or a picture behind dbservice's back."""
    files = [path for path in home.joinpath("dbservice").rglob("*") if path.is_file()]
    (file,) = (path for path in files if path.read_bytes() == data)
    file.unlink()


def make_bot(address: str, observers: Sequence[Observer] = ()) -> ExtBot[None]:
    """python-telegram-bot over the sandbox's Bot API, with nobody waiting for a turn."""
    return ExtBot(
        BOT_TOKEN,
        base_url=f"http://{address}/bot",
        base_file_url=f"http://{address}/file/bot",
        request=HTTPXRequest(read_timeout=20, httpx_kwargs=LOOPBACK),
        get_updates_request=HTTPXRequest(httpx_kwargs=LOOPBACK),
        rate_limiter=ObservedCalls(observers),
    )


@asynccontextmanager
async def open_desk(home: Path, **generator_settings: Any) -> AsyncIterator[Desk]:
    """Starts every part; one that a test does not touch costs next to nothing."""
    executor, captioner, listener = ScriptedExecutor(), ScriptedCaptioner(), Listener()
    token = SecretStr(SERVICE_TOKEN)
    async with AsyncExitStack() as stack:
        start = stack.enter_async_context
        of_dbservice = DbserviceSettings(
            lookalike_home=home,
            dbservice_listen="127.0.0.1:0",
            service_token=token,
            user_max_unfinished=300,
        )
        of_sandbox = SandboxSettings(
            lookalike_home=home,
            sandbox_listen="127.0.0.1:0",
            telegram_bot_token=SecretStr(BOT_TOKEN),
        )
        of_generator = GeneratorSettings(
            lookalike_home=home,
            generator_listen="127.0.0.1:0",
            service_token=token,
            **generator_settings,
        )
        dbservice_at = (await start(dbservice.running(of_dbservice))).address
        telegram = await start(sandbox.running(of_sandbox))
        painter = await start(generator.running(of_generator, executor=executor))
        sandbox_at, generator_at = telegram.address, painter.address
        people = await start(People(f"http://{sandbox_at}"))
        bot = await start(make_bot(sandbox_at, [listener]))
        listener.sends.clear()  # it has asked who it is
        database = Database(dbservice_at, SERVICE_TOKEN, [listener])
        stack.push_async_callback(database.disconnect)
        client = GeneratorClient(f"http://{generator_at}", SERVICE_TOKEN, [listener])
        stack.callback(client.close)
        messenger = Messenger(bot, EditPace())
        services = Services(database, client, captioner, messenger, [listener])
        stack.push_async_callback(services.decoder.close)
        yield Desk(
            home=home,
            settings=BotSettings(
                lookalike_home=home,
                service_token=token,
                telegram_bot_token=SecretStr(BOT_TOKEN),
                telegram_api_url=f"http://{sandbox_at}",
                bot_listen="127.0.0.1:0",
                bot_poll_seconds=0.05,
                dbservice_address=dbservice_at,
                generator_url=f"http://{generator_at}",
            ),
            people=people,
            chat=await people.add_user(),
            executor=executor,
            captioner=captioner,
            listener=listener,
            database=database,
            services=services,
            incarnation=Incarnation(database, BOT),
        )
        for service in (telegram, painter):
            service.stop.set()  # uvicorn takes 0.1 s to stop; so both take it at once
