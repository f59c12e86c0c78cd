"""Notes to those who run the bot: when a service is in trouble, and when it is well again."""

from dataclasses import dataclass, replace

import pytest

from bot.admins import Admins
from bot.captioners.base import CaptionerMisconfigured
from bot.clients.dbservice import DatabaseClient
from bot.health import Health, ServiceHealth
from bot.services import Services
from bot.texts import of
from bot.texts.texts import Texts
from bot.trouble import Troubles
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.club import serving
from tests.bot.desk import BOT, SERVICE_TOKEN, Desk, picture
from tests.bot.front import EN, told

pytestmark = pytest.mark.slow

HOUR = 3600.0
SAID = EN.trouble
AWAY = SAID.trouble("generator-unavailable")
WELL = SAID.well("generator")


async def _no_menu(_user: int, _texts: Texts) -> bool:
    return True


@dataclass
class Watch:
    """Troubles of services that are as a test says, at a time that it says."""

    desk: Desk
    services: Services
    database: ServiceHealth
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.troubles = Troubles(
            self.services, self.database, BOT, _no_menu, clock=lambda: self.now
        )

    async def look(self, after: float = 0.0) -> None:
        self.now += after
        await self.troubles.run()

    async def fail(
        self, health: ServiceHealth, code: Health = Health.UNAVAILABLE, seconds: float = 61.0
    ) -> None:
        """It fails for so long."""
        for n in range(4):
            health.failing(code, "as the test says")
            await self.look(after=seconds / 3 if n else 0)

    async def notes(self, user: int | None = None) -> list[str]:
        messages = await self.desk.people.messages(self.desk.chat if user is None else user)
        return [message.text for message in messages if message.from_bot]


@pytest.fixture
async def watch(desk: Desk) -> Watch:
    await desk.people.send_text(desk.chat, "hello")
    services = replace(desk.services, admins=Admins([desk.chat]))
    return Watch(desk, services, ServiceHealth("dbservice"))


async def test_trouble_is_told_once_and_so_is_its_end(watch: Watch) -> None:
    health = watch.services.generator_health
    await watch.fail(health)
    assert await watch.notes() == [AWAY]
    await watch.fail(health, seconds=3 * HOUR)
    assert await watch.notes() == [AWAY]
    health.ok()
    await watch.look()
    await watch.look(after=HOUR)
    assert await watch.notes() == [AWAY, WELL]


async def test_a_blip_is_not(watch: Watch) -> None:
    health = watch.services.generator_health
    await watch.fail(health, seconds=30)
    health.ok()
    await watch.look(after=100)
    health.failing(Health.UNAVAILABLE, "once, and nobody has asked since")
    for _ in range(5):
        await watch.look(after=HOUR)
    assert await watch.notes() == []


async def test_there_is_one_an_hour_for_each_service(watch: Watch) -> None:
    health = watch.services.generator_health
    for _ in range(6):  # in 12 minutes
        await watch.fail(health)
        health.ok()
        await watch.look(after=60)
    assert await watch.notes() == [AWAY, WELL]
    other = watch.services.captioner_health
    await watch.fail(other, Health.MISCONFIGURED)
    refused = SAID.trouble("captioner-misconfigured")
    assert await watch.notes() == [AWAY, WELL, refused]
    await watch.fail(health, seconds=HOUR)
    assert await watch.notes() == [AWAY, WELL, refused, AWAY]


async def test_everybody_who_runs_the_bot_is_told_in_their_language(watch: Watch) -> None:
    desk = watch.desk
    owner = await desk.people.add_user("Ona")
    await desk.people.send_text(owner, "labas")
    await desk.database.claim_bot(db.ClaimBotRequest(bot_id=BOT, user_id=owner))
    await desk.database.change_settings(
        db.ChangeSettingsRequest(bot_id=BOT, user_id=owner, settings=db.UserSettings(language="lt"))
    )
    await watch.fail(watch.services.generator_health)
    assert await watch.notes() == [AWAY]
    assert await watch.notes(owner) == [of("lt").trouble.trouble("generator-unavailable")]


async def test_while_dbservice_is_away_the_owner_is_known_all_the_same(watch: Watch) -> None:
    desk = watch.desk
    owner = await desk.people.add_user("Ona")
    await desk.people.send_text(owner, "hello")
    await desk.database.claim_bot(db.ClaimBotRequest(bot_id=BOT, user_id=owner))
    await watch.look()
    watch.troubles._services = replace(
        watch.services, database=DatabaseClient("127.0.0.1:1", SERVICE_TOKEN)
    )
    watch.now += 2 * HOUR
    await watch.fail(watch.database)
    watch.database.ok()
    await watch.look()
    expected = [SAID.trouble("dbservice-unavailable"), SAID.well("dbservice")]
    assert await watch.notes(owner) == expected
    assert await watch.notes() == expected


async def test_who_has_not_opened_the_chat_is_logged_once(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    late = await watch.desk.people.add_user("Late")
    watch.services.admins.add(late, "en")
    await watch.fail(watch.services.generator_health)
    watch.services.generator_health.ok()
    await watch.look()
    assert await watch.notes() == [AWAY, WELL]
    told = [each for each in caplog.messages if "cannot be told" in each]
    assert len(told) == 1
    assert told[0].startswith(f"{late} ")


async def test_a_note_that_telegram_does_not_take_yet_waits(watch: Watch) -> None:
    await watch.desk.people.add_fault("too_many_requests", method="sendMessage", retry_after=30)
    await watch.fail(watch.services.generator_health)
    assert await watch.notes() == []
    await watch.look(after=29)
    assert await watch.notes() == []
    await watch.look(after=2)
    assert await watch.notes() == [AWAY]


@pytest.mark.long
async def test_a_refused_key_is_told_to_the_admin(
    desk: Desk, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quick is None
    for name, value in (("_BLIP_SECONDS", 0.5), ("_BLIP_FAILURES", 2)):
        monkeypatch.setattr(f"bot.trouble.{name}", value)
    monkeypatch.setattr("bot.work.backoff._LONGEST_WAIT", 0.1)
    desk.captioner.script += [CaptionerMisconfigured("401")] * 20
    desk.executor.go()
    admin, user = desk.chat, await desk.people.add_user("Bob")
    async with serving(desk, "everyone", bot_admins=frozenset({admin})):
        await desk.people.send_text(admin, "/start")
        await told(desk, admin, EN.start)
        await desk.people.send_photo(user, picture())
        await told(desk, admin, SAID.trouble("captioner-misconfigured"))
        await told(desk, admin, SAID.well("captioner"))


async def test_a_note_is_not_in_the_language_of_a_group(
    desk: Desk, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quick is None
    for name, value in (("_BLIP_SECONDS", 0.5), ("_BLIP_FAILURES", 2)):
        monkeypatch.setattr(f"bot.trouble.{name}", value)
    monkeypatch.setattr("bot.work.backoff._LONGEST_WAIT", 0.1)
    admin = desk.chat
    group = await desk.people.add_group([admin])
    chosen = db.UserSettings(language="lt")
    await desk.database.change_settings(
        db.ChangeSettingsRequest(bot_id=BOT, user_id=group, settings=chosen)
    )
    async with serving(desk, "everyone", bot_admins=frozenset({admin})):
        await desk.people.send_text(admin, "/start")
        await told(desk, admin, EN.start)
        await desk.people.send_text(group, "/status", user=admin)
        await told(desk, group, of("lt").no_work)
        desk.captioner.script += [CaptionerMisconfigured("401")] * 100
        await desk.people.send_photo(admin, picture())
        await told(desk, admin, SAID.trouble("captioner-misconfigured"))
