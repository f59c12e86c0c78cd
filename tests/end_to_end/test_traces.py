"""A photo is one trace through kill -9 of every service, and no secret is told to anybody."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Generator
from typing import Final

import httpx
import pytest

from lookalike.processes.stack import Stack
from lookalike.tokens import service_token
from tests import azure
from tests.azure import AzureServer
from tests.collector import TRACES, Collector, Seen, collecting
from tests.end_to_end.chats import cat, delivered, idle, pictures
from tests.sandbox.client import LOOPBACK, People
from tests.stack import TOKEN, free_port, occupied, read_log, running_stack
from tests.waiting import until

TRACED: Final = ("bot", "dbservice", "generator")

WRITTEN: Final = "a zebra that nobody but its sender knows of"
CAPTIONED: Final = "an okapi that nobody but its owner sees"
REFUSED: Final = "a quagga that Azure complains of"
PAINTED: Final = "a tapir that somebody asks for"
FILE: Final = "bongo-of-my-family.png"
COLLECTORS: Final = "a-token-of-the-collectors-alone"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def collector() -> Generator[Collector, None, None]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def scraped() -> str:
    """Where dbservice tells its metrics."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def stack(
    collector: Collector,
    scraped: str,
    vision: AzureServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[Stack, None, None]:
    """All services with all telemetry, also that which libraries would add."""
    settings = {
        "CAPTIONER": "azure",
        "AZURE_VISION_ENDPOINT": vision.url,
        "AZURE_VISION_KEY": vision.key,
        "DBSERVICE_METRICS_LISTEN": scraped,
        "LOOKALIKE_LOG": "json",
        "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
        "AZURE_TRACING_ENABLED": "true",
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{COLLECTORS}",
    }
    with running_stack(tmp_path_factory.mktemp("home"), settings | collector.environment) as stack:
        yield stack


@pytest.fixture
async def people(stack: Stack) -> AsyncIterator[People]:
    async with People(stack.url("sandbox")) as people:
        yield people


def of(collector: Collector, trace: str, service: str) -> list[Seen]:
    return [span for span in collector.spans if (span.trace, span.service) == (trace, service)]


async def exported(collector: Collector, trace: str, service: str) -> None:
    """Waits for a span of the service's; of what is killed before, nothing would be known."""
    await until(lambda: bool(of(collector, trace, service)))


async def test_a_photo_is_one_trace_through_kills_of_every_service(
    people: People, stack: Stack, collector: Collector
) -> None:
    chat = await people.add_user()
    with occupied(stack):  # so that its job waits
        photo = await people.send_photo(chat, cat())
        await until(lambda: bool(collector.named("stage submit")))
        (submit,) = collector.named("stage submit")
        trace, generation = submit.trace, submit.attributes["lookalike.generation.id"]
        for victim in TRACED:
            await exported(collector, trace, victim)
            stack.kill(victim)
            await asyncio.to_thread(stack.start, victim)
    await delivered(people, photo)
    await idle(people, chat)
    await until(lambda: bool(collector.named("stage close")))

    assert len(pictures(await people.messages(chat), photo)) == 1
    named = ("lookalike.generation.id", "lookalike.job.id")
    traces = {
        span.trace
        for span in collector.spans
        if generation in {span.attributes.get(name) for name in named}
    }
    assert traces == {trace}
    for service in TRACED:
        instances = {span.instance for span in of(collector, trace, service)}
        assert len(instances) >= 2, f"{service} before and after its kill"
    names = {span.name for span in collector.spans if span.trace == trace}
    assert names >= {
        "update message",
        *(f"stage {name}" for name in ("store", "caption", "submit", "deliver", "close")),
        "transaction photos.receive",
        "PUT /v1/jobs/{job_id}",
        "job",
        "batch",
        "steps",
        "sendPhoto",
    }


async def test_no_secret_and_nothing_that_somebody_wrote_is_told(
    people: People,
    stack: Stack,
    collector: Collector,
    scraped: str,
    vision: AzureServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = len(collector.named("stage close"))
    monkeypatch.setattr(vision, "caption", CAPTIONED)
    vision.script.append(azure.problem(503, "503", REFUSED))
    chat = await people.add_user("Zenobia")
    photo = await people.send_photo(chat, cat(), caption=WRITTEN)
    picture = await delivered(people, photo)
    assert (WRITTEN in picture.caption, CAPTIONED in picture.caption) == (True, True)
    await delivered(people, await people.send_document(chat, cat(), FILE))
    await delivered(people, await people.send_text(chat, f"/paint {PAINTED}"))
    await idle(people, chat)
    await until(lambda: len(collector.named("stage close")) >= closed + 3)
    scrapes = {}
    async with httpx.AsyncClient(**LOOPBACK) as client:
        for address in (stack.address("bot"), stack.address("generator"), scraped):
            answer = await client.get(f"http://{address}/metrics", timeout=20)
            assert answer.status_code == 200
            scrapes[address] = answer.text

    assert photo.photo is not None
    assert picture.photo is not None
    written = (WRITTEN, CAPTIONED, PAINTED, FILE, "Zenobia", photo.photo, picture.photo)
    token = TOKEN.partition(":")[2]
    secrets = (TOKEN, token, service_token(stack.home), vision.key, COLLECTORS)
    for told in (*scrapes.values(), *(read_log(stack, name) for name in TRACED)):
        assert [secret for secret in (*secrets, *written) if secret in told] == []
    exported = b"".join(body for _, body in collector.bodies)
    assert len(exported) > 10_000
    said = (*secrets, *written, REFUSED)
    assert [each for each in said if each.encode() in exported] == []
    for span in collector.spans:
        for value in (span.name, *span.attributes.values()):
            assert value != chat
            assert str(chat) not in _UUID.sub("", value if isinstance(value, str) else "")
    assert {span.scope for span in collector.spans} == {"lookalike"}
    assert {span.service for span in collector.spans} == {*TRACED}
    assert {path for path, _ in collector.bodies} == {TRACES}

    records = [json.loads(line) for name in TRACED for line in read_log(stack, name).splitlines()]
    traces = {span.trace for span in collector.spans}
    assert {record["trace_id"] for record in records if "trace_id" in record} <= traces
    assert any("trace_id" in record for record in records)
