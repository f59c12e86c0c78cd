"""/status: what is being painted, and what keeps it waiting."""

import pytest

from bot import app
from bot.captioners.base import CaptionerUnavailable
from bot.clients.documents import Job
from bot.clients.generator import GeneratorClient, GeneratorUnavailable
from bot.texts.tables import WAITS
from tests.bot.desk import Desk, picture
from tests.bot.front import EN, told
from tests.end_to_end.chats import ask, press

pytestmark = pytest.mark.slow


async def test_it_tells_of_each_picture_what_it_becomes_and_where_it_stands(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people, chat, said = desk.people, desk.chat, EN.pictures
    await people.send_photo(chat, picture())
    await told(desk, chat, "Painting")
    await people.send_text(chat, "/settings")
    (settings,) = await told(desk, chat, said.settings)
    (twin,) = [each.text for each in settings.buttons if "Twin" in each.text]
    await press(people, settings, twin)
    await people.send_photo(chat, picture(), caption="at night -- people")
    await told(desk, chat, "Waiting: 1 picture before yours")
    desk.captioner.free.clear()
    desk.captioner.begun.clear()
    await people.send_photo(chat, picture())
    await desk.captioner.begun.wait()
    first, second, third = (await ask(people, chat, "/status")).text.split("\n\n")
    assert first.splitlines()[0] == "1. a cat on a sofa"
    assert first.splitlines()[1].startswith("Painting ░")
    assert second == "2. at night, a cat on a sofa → Twin\nWaiting: 1 picture before yours"
    assert third == "3. your photo → Twin\nLooking at your photo"
    desk.captioner.free.set()


@pytest.mark.long
async def test_a_captioner_in_trouble_is_told_until_it_is_back(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    people, chat, waiting = desk.people, desk.chat, EN.waiting("captioner-unavailable")
    desk.captioner.script += [CaptionerUnavailable("away")] * 2
    await people.send_photo(chat, picture())
    await told(desk, chat, waiting)
    desk.captioner.free.clear()
    assert (await ask(people, chat, "/status")).text.split("\n\n")[1:] == [waiting]
    desk.captioner.free.set()
    await told(desk, chat, "Painting")
    status = (await ask(people, chat, "/status")).text
    assert not any(EN.waiting(code) in status for code in WAITS)


async def test_while_the_generator_is_away_nobody_knows_how_far_a_picture_is(
    desk: Desk, bot: app.RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_client: GeneratorClient, _job_id: str) -> Job:
        raise GeneratorUnavailable("as the test says")

    assert bot.address
    await desk.people.send_photo(desk.chat, picture())
    await told(desk, desk.chat, "Painting")
    monkeypatch.setattr(GeneratorClient, "get_job", away)
    waiting = EN.waiting("generator-unavailable")
    await told(desk, desk.chat, waiting)
    status = await ask(desk.people, desk.chat, "/status")
    assert status.text == f"1. a cat on a sofa\nPainting\n\n{waiting}"
