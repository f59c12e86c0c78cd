"""Access and quotas together, by user, chat and way in; what is said; captions that cost."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot import app, captioners
from bot.access import Access
from bot.callbacks import style_data
from bot.captioners.base import CaptionerMisconfigured, CaptionerUnavailable
from bot.stages import caption
from bot.work.item import CAPTIONS_USED_UP, RetryLater
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, open_desk, picture
from tests.bot.front import EN, all_is_closed, nothing_waits, pictured, press, states, told
from tests.end_to_end.chats import ask
from tests.generator import scripted
from tests.sandbox.client import ShownMessage

SAID = EN.quotas


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@asynccontextmanager
async def bounded(
    home: Path, monkeypatch: pytest.MonkeyPatch, **quotas: int
) -> AsyncIterator[Desk]:
    """A desk with these settings of dbservice."""
    for name, value in quotas.items():
        monkeypatch.setenv(name.upper(), str(value))
    monkeypatch.setattr(scripted, "png_of", lambda _task: picture("PNG"))
    async with open_desk(home) as desk:
        monkeypatch.setattr(captioners, "create", lambda *_args, **_options: desk.captioner)
        yield desk


async def come(desk: Desk, way: str, chat: int, user: int, parent: str, number: int) -> None:
    """Somebody wants another picture."""
    people, name = desk.people, (await desk.people.bot())["user"]["username"]
    if way == "photo":
        await people.send_photo(chat, picture(), user=user, caption=f"@{name}")
    elif way == "words":
        await people.send_text(chat, f"/paint@{name} a dog", user=user)
    else:
        kind = "private" if chat == user else "group"
        shown = {"message_id": 1, "date": 1, "chat": {"id": chat, "type": kind, "title": "x"}}
        sender = {"id": user, "is_bot": False, "first_name": "X"}
        data = style_data(("oil", "")[number], parent)
        pressed = press(chat, data, message=shown, id=f"{chat}.{user}.{number}", **{"from": sender})
        await people.send_updates([pressed])
    await nothing_waits(desk)


async def captioned(desk: Desk, chat: int, user: int) -> str:
    """Something with buttons, which no quota has to do with."""
    photo = await desk.people.send_photo(chat, picture(), user=user)
    item = await desk.receive(photo, exempt=True)
    await item.record(caption=db.Caption(text="a cat", captioner="offline", model="m"))
    await item.fail("gave-up", "as the test says")
    await item.close()
    return item.id


@pytest.mark.long
@pytest.mark.parametrize("way", ["photo", "words", "button"])
async def test_users_chats_and_ways_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Each tries twice, in private and in the group, where a day has one picture."""
    began = {
        ("admin", "private"): 2,
        ("admin", "group"): 2,
        ("user", "private"): 1,
        ("user", "group"): 1,
        ("member", "private"): 1,
        ("member", "group"): 0,  # the group has had its own
        ("stranger", "private"): 0,
        ("stranger", "group"): 0,
        ("banned", "private"): 0,
        ("banned", "group"): 0,
    }
    async with bounded(tmp_path, monkeypatch, user_daily_pictures=1) as desk:
        desk.captioner.free.clear()  # whatever is begun stays unfinished
        names = ("admin", "user", "member", "stranger", "banned")
        users = {name: await desk.people.add_user(name.title()) for name in names}
        group = await desk.people.add_group([*users.values()])
        await desk.database.ban_user(db.BanUserRequest(bot_id=BOT, user_id=users["banned"]))
        chats = {(user, kind): users[user] if kind == "private" else group for user, kind in began}
        parents = {
            (user, kind): await captioned(desk, chat, users[user])
            for (user, kind), chat in chats.items()
        }
        rules = {
            "bot_access": "me",
            "bot_admins": frozenset({users["admin"]}),
            "bot_allowed": frozenset({users["user"], users["member"], users["banned"]}),
        }
        async with app.running(desk.settings.model_copy(update=rules)):
            for (user, kind), chat in chats.items():
                for number in range(2):
                    await come(desk, way, chat, users[user], parents[user, kind], number)
                begun = len(await states(desk, chat, users[user]))
                assert begun == began[user, kind], (user, kind)


async def test_a_refusal_says_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bounded(tmp_path, monkeypatch, user_daily_pictures=1) as desk:
        desk.executor.go()
        people = desk.people
        ada = await people.add_user("Ada")
        group = await people.add_group([ada, desk.chat])
        async with app.running(desk.settings):
            assert (
                SAID.left(1, "", in_group=False) in (await ask(people, desk.chat, "/status")).text
            )
            await people.send_photo(desk.chat, picture())
            (shown,) = await pictured(desk, desk.chat)
            used = SAID.used_up("2026-12-01T00:00", of_all=False, in_group=False)
            again = await people.press(shown, EN.pictures.again_button)
            assert again is not None
            assert again.text == used
            await people.send_photo(desk.chat, picture())
            await told(desk, desk.chat, used)
            none = SAID.left(0, "2026-12-01T00:00", in_group=False)
            assert none in (await ask(people, desk.chat, "/status")).text
            name = f"@{(await people.bot())['user']['username']}"
            await people.send_photo(group, picture(), user=ada, caption=name)
            await pictured(desk, group)
            await people.send_photo(group, picture(), user=desk.chat, caption=name)
            await told(desk, group, SAID.used_up("2026-12-01T00:00", of_all=False, in_group=True))


@pytest.mark.long
async def test_all_together_and_none_at_all_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bounded(tmp_path / "1", monkeypatch, bot_daily_pictures=1) as desk:
        desk.captioner.free.clear()
        ada = await desk.people.add_user("Ada")
        zone = db.UserSettings(time_zone="Asia/Kolkata")
        chosen = db.ChangeSettingsRequest(bot_id=BOT, user_id=ada, settings=zone)
        await desk.database.change_settings(chosen)
        async with app.running(desk.settings):
            await desk.people.send_photo(desk.chat, picture())
            await nothing_waits(desk)
            await desk.people.send_photo(ada, picture())
            await told(desk, ada, SAID.used_up("2026-12-01T05:30", of_all=True, in_group=False))
            await desk.people.send_text(desk.chat, "/cancel")
    monkeypatch.setenv("BOT_DAILY_PICTURES", "0")
    async with bounded(tmp_path / "2", monkeypatch) as desk, app.running(desk.settings):
        await desk.people.send_photo(desk.chat, picture())
        await told(desk, desk.chat, SAID.used_up("", of_all=True, in_group=False))


async def test_a_set_has_as_many_as_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bounded(tmp_path, monkeypatch, user_daily_pictures=3) as desk:
        desk.executor.go()
        await desk.choose(4)
        async with app.running(desk.settings):
            await desk.people.send_photo(desk.chat, picture())
            await pictured(desk, desk.chat, times=3)


# Captions that cost.


@pytest.mark.long
async def test_of_a_photo_that_nobody_may_be_asked_about_its_owner_says_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = SAID.captions_used_up("2026-12-01T00:00")
    async with bounded(tmp_path, monkeypatch, bot_daily_captions=1) as desk:
        monkeypatch.setattr(desk.captioner, "name", "azure")
        desk.executor.go()
        async with app.running(desk.settings):
            await desk.people.send_photo(desk.chat, picture())
            await pictured(desk, desk.chat)
            photos = [await desk.people.send_photo(desk.chat, picture()) for _ in range(2)]
            first, second = await told(desk, desk.chat, used, times=2)
            assert len(desk.captioner.asked) == 1
            await desk.people.send_text(desk.chat, "a red  bus", reply_to=first.id)
            _, shown = await pictured(desk, desk.chat, times=2)
            assert "a red bus" in shown.caption
            photo = next(each for each in photos if each.id != first.reply_to)
            assert second.reply_to == photo.id
            await desk.people.send_text(desk.chat, "a boat", reply_to=photo.id)
            *_, shown = await pictured(desk, desk.chat, times=3)
            assert "a boat" in shown.caption
            assert len(desk.captioner.asked) == 1


async def test_whoever_asks_once_more_says_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bounded(tmp_path, monkeypatch, bot_daily_captions=0) as desk:
        monkeypatch.setattr(desk.captioner, "name", "azure")
        desk.executor.go()
        bob = await desk.people.add_user("Bob")
        group = await desk.people.add_group([desk.chat, bob])
        async with app.running(desk.settings):
            photo = await desk.people.send_photo(group, picture(), user=desk.chat)

            async def asked(text: str) -> ShownMessage:
                return await desk.people.send_text(group, text, user=bob, reply_to=photo.id)

            for times in (1, 2):  # without words it is asked anew
                asking = await asked("/paint")
                ending = (await told(desk, group, EN.ending(CAPTIONS_USED_UP), times=times))[-1]
                assert ending.reply_to == asking.id
                await all_is_closed(desk, group, bob)
            asking = await asked("/paint a red  bus")
            (shown,) = await pictured(desk, group)
            assert (shown.reply_to, shown.caption) == (asking.id, "a red bus")


async def test_a_caption_counts_once_however_often_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bounded(tmp_path, monkeypatch, bot_daily_captions=1) as desk:
        monkeypatch.setattr(desk.captioner, "name", "azure")
        desk.captioner.script += [CaptionerMisconfigured("401"), CaptionerUnavailable("429")]
        item = await desk.stored()
        for _ in range(2):
            with pytest.raises(RetryLater):
                await caption.run(item, desk.services)
        await caption.run(item, desk.services)
        assert item.state == db.GENERATION_STATE_CAPTIONED
        item = await desk.stored()
        await caption.run(item, desk.services)
        assert item.generation.error.code == CAPTIONS_USED_UP


async def test_captions_are_counted_of_a_captioner_that_costs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bounded(tmp_path, monkeypatch, bot_daily_captions=0) as desk:
        item = await desk.stored()
        await caption.run(item, desk.services)
        assert item.state == db.GENERATION_STATE_CAPTIONED
        monkeypatch.setattr(desk.captioner, "name", "azure")
        item = await desk.stored()
        await caption.run(item, desk.services)
        assert (item.state, item.generation.error.code) == (
            db.GENERATION_STATE_FAILED,
            CAPTIONS_USED_UP,
        )
        assert item.text_of(db.MESSAGE_KIND_ENDING) == EN.ending(CAPTIONS_USED_UP)
        services = replace(desk.services, access=Access(admins=frozenset({desk.chat})))
        item = await desk.stored(exempt=True)
        await caption.run(item, services)
        assert item.state == db.GENERATION_STATE_CAPTIONED
