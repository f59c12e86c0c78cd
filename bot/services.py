"""What the stages work with, put together once at start."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.access import Access
from bot.admins import Admins
from bot.albums import Albums
from bot.captioners.base import Captioner
from bot.clients.dbservice import DatabaseClient
from bot.clients.generator import GeneratorClient
from bot.group_admins import GroupAdmins
from bot.handing import Handing
from bot.health import ServiceHealth
from bot.messenger import Messenger
from bot.observers import Observer
from bot.turns import Turns
from bot.work.memory import Memories
from bot.work.room import Room
from lookalike.imaging.decoder import Decoder
from protos.lookalike.db.v1 import db_pb2 as db


async def _alone(_name: str, _seconds: int) -> bool:
    return True


@dataclass(frozen=True)
class Services:
    """Everything that a stage may use.

    Attributes:
        database: dbservice.
        generator: the generator.
        captioner: the one captioner chosen at start.
        messenger: Telegram.
        observers: who hears what happens.
        access: who may use the bot.
        group_admins: who acts for a group.
        admins: who runs the bot.
        hears_all: whether every photo in a group is for the bot; else those that are meant for it.
        albums: photos in groups that may turn out to be meant for it.
        memories: what is remembered of each generation under way.
        captioner_health: how the captioner was last seen.
        generator_health: how the generator was last seen.
        room: the way into the generator, in the order of the line.
        dial: of photos whose owner has chosen none.
        terms: what whoever uses the bot accepts, as its administrator says; empty: nothing.
        privacy_url: where people read more than /privacy says; None: nowhere.
        gallery_url: where people open the gallery; None: nowhere.
        decoder: makes photos safe to keep.
        downloading: bounds how many photos are in memory at a time, up to 20 MB each.
        decoding: bounds how many are decoded at a time, which may take more than a gigabyte each.
        captioning: bounds how many captions are asked for at a time.
        holder: this process, where several share the chats; empty: nobody shares them.
        claim: whether something is this process's to do, and no other's; see `Incarnation.claim`.
        traces: to which traces updates belong that wait for their handlers.
    """

    database: DatabaseClient
    generator: GeneratorClient
    captioner: Captioner
    messenger: Messenger
    observers: Sequence[Observer] = ()
    access: Access = field(default_factory=Access)
    group_admins: GroupAdmins = field(default_factory=GroupAdmins)
    admins: Admins = field(default_factory=Admins)
    hears_all: bool = False
    albums: Albums = field(default_factory=Albums)
    memories: Memories = field(default_factory=Memories)
    captioner_health: ServiceHealth = field(default_factory=lambda: ServiceHealth("The captioner"))
    generator_health: ServiceHealth = field(default_factory=lambda: ServiceHealth("The generator"))
    room: Room = field(default_factory=Room)
    dial: db.Dial = db.DIAL_DREAM
    terms: str = ""
    privacy_url: str | None = None
    gallery_url: str | None = None
    decoder: Decoder = field(default_factory=Decoder)
    downloading: Turns = field(default_factory=lambda: Turns(4, each=2))
    decoding: Turns = field(default_factory=lambda: Turns(2, each=1))
    captioning: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(16))
    holder: str = ""
    claim: Callable[[str, int], Awaitable[bool]] = _alone
    traces: Handing = field(default_factory=Handing)
