"""One trace from an update to the picture; here bot, dbservice and generator are one process."""

import io
import json
import logging
import re
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest

from bot import app
from lookalike import tracing
from lookalike.logs import JsonFormatter
from tests.bot.desk import Desk, open_desk, picture
from tests.bot.front import EN, all_is_closed, pictured
from tests.collector import Collector, Seen, traced
from tests.waiting import until

pytestmark = pytest.mark.slow

DBSERVICE = "lookalike.db.v1.DatabaseService"
WRITTEN = "what somebody wrote"
STAGES = ("store", "caption", "submit", "deliver", "close")
IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Generator[Collector, None, None]:
    with traced(monkeypatch) as collector:
        yield collector


@pytest.fixture
async def desk(tmp_path: Path, collector: Collector) -> AsyncIterator[Desk]:
    """As for all tests of the bot, and traced."""
    assert collector.url
    async with open_desk(tmp_path) as desk:
        desk.executor.go()
        yield desk


def trace_from(collector: Collector, root: str) -> list[Seen]:
    """The spans of the trace that begins with this one."""
    (first,) = [span for span in collector.named(root) if not span.parent]
    return [span for span in collector.spans if span.trace == first.trace]


def check_that_all_are_parts_of_one(spans: list[Seen]) -> None:
    known = {span.id for span in spans}
    assert [span.name for span in spans if span.parent not in known] == [
        span.name for span in spans if not span.parent
    ]
    assert len([span for span in spans if not span.parent]) == 1


def check_that_nobody_is_named(collector: Collector, user: int) -> None:
    for span in collector.spans:
        for value in (span.name, *span.attributes.values()):
            assert value != user
            assert str(user) not in IDS.sub("", str(value) if isinstance(value, str) else "")


async def closed(collector: Collector, count: int) -> None:
    await until(lambda: len(collector.named("stage close")) == count)


async def test_a_photo_is_one_trace_from_the_update_to_the_picture(
    collector: Collector, desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    photo = await desk.people.send_photo(desk.chat, picture(), caption=WRITTEN)
    await pictured(desk, desk.chat)
    await all_is_closed(desk, desk.chat, desk.chat)
    await closed(collector, 1)
    tracing.end(5)
    painted = {span.trace for span in collector.named("job")}
    spans = [span for span in collector.spans if span.trace in painted]
    check_that_all_are_parts_of_one(spans)
    names = {span.name for span in spans}
    assert names >= {
        "update message",
        "handle",
        *(f"stage {stage}" for stage in STAGES),
        "sendMessage",
        "sendPhoto",
        "deleteMessage",
        "PUT /v1/jobs/{id}",  # the bot's
        "PUT /v1/jobs/{job_id}",  # the generator's
        "transaction submit",
        "job",
        "batch",
        "steps",
        "decode",
        "transaction finish",
        f"{DBSERVICE}/FinalizeGeneration",
        "transaction photos.receive",
        "transaction generations.close",
    }
    assert len([span for span in spans if span.name == f"{DBSERVICE}/ReceivePhoto"]) == 2
    (update,) = [span for span in spans if not span.parent]
    assert update.name == "update message"
    # Looks at what waits are many, and about all that wait.
    assert not collector.named("stage follow")
    assert not collector.named("GET /v1/jobs")
    check_that_nobody_is_named(collector, desk.chat)
    assert photo.photo is not None
    for secret in (WRITTEN, photo.photo, desk.settings.telegram_bot_token.get_secret_value()):
        assert not any(secret.encode() in body for _, body in collector.bodies), secret


async def test_a_press_begins_a_trace_of_its_own(
    collector: Collector, desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    await desk.people.send_photo(desk.chat, picture())
    (painted,) = await pictured(desk, desk.chat)
    await desk.people.press(painted, EN.pictures.again_button)
    await pictured(desk, desk.chat, times=2)
    await all_is_closed(desk, desk.chat, desk.chat)
    await closed(collector, 2)
    tracing.end(5)
    spans = trace_from(collector, "update callback_query")
    check_that_all_are_parts_of_one(spans)
    names = {span.name for span in spans}
    assert names >= {"handle", f"{DBSERVICE}/CreateGeneration", "job", "sendPhoto"}
    assert "stage store" not in names
    assert len({span.trace for span in collector.named("job")}) == 2
    # The tick is nobody's, also if a handler has woken it.
    assert not collector.named(f"{DBSERVICE}/LeaseGenerations")


async def test_what_fails_is_told_by_its_code(
    collector: Collector, desk: Desk, bot: app.RunningBot
) -> None:
    assert bot.address
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(JsonFormatter("bot"))
    logging.getLogger("bot.work.settling").addHandler(handler)
    desk.captioner.script.append(RuntimeError(WRITTEN))
    await desk.people.send_photo(desk.chat, picture())
    await pictured(desk, desk.chat)
    logging.getLogger("bot.work.settling").removeHandler(handler)
    tracing.end(5)
    (line,) = [json.loads(each) for each in log.getvalue().splitlines() if "Unexpected" in each]
    failed = [span for span in collector.named("stage caption") if span.failed]
    assert [span.attributes["error.type"] for span in failed] == ["RuntimeError"]
    assert line["trace_id"] == failed[0].trace
    assert not any(WRITTEN.encode() in body for _, body in collector.bodies)
