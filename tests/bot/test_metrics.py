"""What the bot tells whoever scrapes it: the same figures as /stats, and how it gets on."""

from pathlib import Path

import httpx
import pytest

from bot import app
from bot.refusals import TelegramUnavailable
from lookalike.logs import lost_lines_file
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, SERVICE_TOKEN, Desk, picture
from tests.bot.front import BY_WEBHOOK, all_is_closed, pictured
from tests.metrics import scrape


async def test_a_picture_is_counted_with_what_it_took(desk: Desk, bot: app.RunningBot) -> None:
    desk.executor.go()
    await desk.people.send_photo(desk.chat, picture())
    await pictured(desk, desk.chat)
    await all_is_closed(desk, desk.chat, desk.chat)
    found = await scrape(bot.address)
    assert found['lookalike_pictures_total{code="",end="delivered"}'] == 1
    for name in ("delivery", "caption", "waiting", "painting"):
        assert found[f"lookalike_{name}_seconds_count"] == 1
    assert found['lookalike_stage_seconds_count{outcome="ok",stage="deliver"}'] == 1
    assert found['lookalike_send_seconds_count{method="sendPhoto",outcome="ok"}'] == 1
    name = 'lookalike_call_seconds_count{method="ReceivePhoto",outcome="ok",service="dbservice"}'
    assert found[name] == 1
    assert found["lookalike_ready"] == 1
    for service in ("captioner", "dbservice", "generator"):
        assert found[f'lookalike_dependency_up{{service="{service}"}}'] == 1
    assert found["lookalike_decoders_killed_total"] == 0


async def test_its_figures_are_those_of_stats(desk: Desk, bot: app.RunningBot) -> None:
    desk.executor.go()
    for number in range(1, 3):
        await desk.people.send_photo(desk.chat, picture())
        await pictured(desk, desk.chat, times=number)
    await all_is_closed(desk, desk.chat, desk.chat)
    told = await desk.database.get_statistics(db.GetStatisticsRequest(bot_id=BOT))
    found = await scrape(bot.address)
    for period in ("today", "week", "all"):
        statistics = getattr(told, period)
        for field in ("people", "photos", "pictures", "refusals", "captions"):
            scraped = found[f'lookalike_stats_{field}{{period="{period}"}}']
            assert scraped == getattr(statistics, field)
        assert statistics.HasField("waiting_seconds")
        for field in ("waiting_seconds", "painting_seconds"):
            known = getattr(statistics, field) if statistics.HasField(field) else None
            assert found.get(f'lookalike_stats_{field}{{period="{period}"}}') == known
    assert told.today.pictures == 2
    assert found["lookalike_stats_unfinished"] == told.unfinished == 0


async def test_no_label_is_about_people(desk: Desk, bot: app.RunningBot) -> None:
    desk.executor.go()
    series = []
    for _ in range(2):
        chat = await desk.people.add_user("Somebody")
        await desk.people.send_photo(chat, picture(), user=chat)
        await pictured(desk, chat)
        await all_is_closed(desk, chat, chat)
        series.append((await scrape(bot.address)).keys())
    assert series[1] - series[0] == set()


async def test_a_public_address_needs_the_token(desk: Desk) -> None:
    settings = desk.settings.model_copy(update=BY_WEBHOOK)
    async with app.running(settings) as bot, httpx.AsyncClient(trust_env=False) as client:
        url = f"http://{bot.address}/metrics"
        assert (await client.get(url)).status_code == 401
        authorization = {"Authorization": f"Bearer {SERVICE_TOKEN}"}
        assert (await client.get(url, headers=authorization)).status_code == 200


async def test_lines_that_were_lost_are_told_by_those_whom_up_has_started(
    desk: Desk, bot: app.RunningBot
) -> None:
    assert "lookalike_log_lost_lines_total" not in await scrape(bot.address)
    lost_lines_file(Path(desk.settings.lookalike_home)).write_text("12\n")
    assert (await scrape(bot.address))["lookalike_log_lost_lines_total"] == 12


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TelegramUnavailable("x", 3.0), "too-many-requests"),
        (TelegramUnavailable("x"), "telegram-unavailable"),
    ],
)
def test_a_429_is_told_apart(error: TelegramUnavailable, code: str) -> None:
    assert error.code == code
