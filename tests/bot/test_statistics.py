"""/stats: numbers and a chart, for those who run the bot alone."""

import io
import itertools
from datetime import date, timedelta

import pytest
from PIL import Image

from bot import app, chart
from bot.texts import of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, nothing_waits, pictured, told


async def test_those_who_run_the_bot_see_numbers_and_a_chart(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    desk.executor.go()
    await desk.people.send_photo(desk.chat, picture())
    await pictured(desk, desk.chat)
    await desk.people.send_text(desk.chat, "/stats")
    await told(desk, desk.chat, EN.unknown_command)
    await desk.database.claim_bot(db.ClaimBotRequest(bot_id=BOT, user_id=desk.chat))
    await desk.people.send_text(desk.chat, "/stats")
    (shown,) = await told(desk, desk.chat, "Today\n")
    assert "People: 1, photos: 1, pictures: 1" in shown.caption
    assert "Azure" not in shown.caption
    assert shown.photo is not None
    with Image.open(io.BytesIO(await desk.people.original(shown.photo))) as image:
        assert image.size == (960, 480)


async def test_in_a_group_others_get_no_answer(desk: Desk, bot: app.RunningBot) -> None:
    assert bot.address
    ada = await desk.people.add_user("Ada")
    group = await desk.people.add_group([ada, desk.chat])
    name = (await desk.people.bot())["user"]["username"]
    await desk.people.send_text(group, f"/stats@{name}", user=ada)
    await nothing_waits(desk)
    await desk.people.send_text(group, f"/status@{name}", user=ada)
    await told(desk, group, EN.no_work)
    assert [each.text for each in await desk.people.messages(group) if each.sender_id == BOT] == [
        EN.no_work
    ]


def test_it_is_in_nobodys_menu() -> None:
    assert "stats" not in dict(EN.commands)
    assert "stats" in dict(EN.access.commands)


@pytest.mark.parametrize(
    ("language", "number", "duration", "day"),
    [
        ("en", "1,234,567", "3.4 s", "11/30"),
        ("de", "1.234.567", "3,4\N{NO-BREAK SPACE}s", "30.11."),
        ("nl", "1.234.567", "3,4\N{NO-BREAK SPACE}s", "30-11"),
        ("lt", "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567", "3,4\N{NO-BREAK SPACE}s", "11-30"),
    ],
)
def test_numbers_and_days_are_the_languages_own(
    language: str, number: str, duration: str, day: str
) -> None:
    said = of(language).statistics
    today = db.Statistics(photos=1_234_567, waiting_seconds=3.44)
    text = said.statistics(db.GetStatisticsResponse(today=today), with_azure=False)
    assert number in text
    assert duration in text
    assert said.date(date(2026, 11, 30)) == day


@pytest.mark.parametrize("most", [0, 1, 7, 99, 12_345])
def test_the_chart_has_a_bar_for_each_day_that_had_any(most: int) -> None:
    days = [(date(2026, 11, 1) + timedelta(days=day), most * (day % 2)) for day in range(30)]
    drawn = chart.draw(days, str, lambda day: f"{day.day}")
    with Image.open(io.BytesIO(drawn)) as image:
        colours = [image.getpixel((x, 402)) for x in range(960)]
    bars = sum(a != b == (47, 128, 200) for a, b in itertools.pairwise(colours))
    assert bars == (15 if most else 0)
