"""Traces: when there are any, what spans tell, and that no service waits for them or fails."""

import asyncio
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lookalike import logs, tracing
from lookalike.processes import clean_environment
from lookalike.proxies import proxy_for
from tests.collector import SENT, Collector, traced
from tests.stack import free_port

UNSAMPLED = SENT[:-1] + "0"
WRITTEN = "what somebody wrote"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Generator[Collector, None, None]:
    with traced(monkeypatch) as collector:
        yield collector


# Off.


@pytest.mark.slow
def test_what_is_off_is_not_even_imported() -> None:
    imported = (
        "import sys, bot.app, dbservice.server, dbservice.servicer, lookalike.lifecycle\n"
        "from lookalike import tracing\n"
        "tracing.begin('bot', lambda url: None)\n"
        "found = [name for name in sys.modules if name.partition('.')[0] == 'opentelemetry']\n"
        "assert not found, found\n"
        "import generator.server\n"  # FastAPI imports the API alone, whoever traces
        "found = [name for name in sys.modules if name.startswith(('opentelemetry.sdk', "
        "'opentelemetry.exporter', 'lookalike.tracing.exporting'))]\n"
        "assert not found, found\n"
    )
    environment = {
        name: value for name, value in clean_environment().items() if not name.startswith("OTEL_")
    }
    subprocess.run([sys.executable, "-c", imported], check=True, env=environment, timeout=60)


@pytest.mark.parametrize(
    ("variables", "warning"),
    [
        ({}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "TRUE"}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"}, ""),
        (
            {
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            },
            "http/protobuf",
        ),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
                "OTEL_BSP_MAX_QUEUE_SIZE": "-1",
            },
            "Nothing is traced",
        ),
    ],
)
def test_nothing_is_traced_unless_a_collector_is_named(
    variables: dict[str, str],
    warning: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    tracing.begin("tests", proxy_for)
    assert not tracing.is_on()
    with tracing.trace("update"), tracing.span("part") as part:
        part.set("number", 1)
    assert (part.traceparent, part.headers, part.ids) == ("", (), {})
    assert len(caplog.messages) == bool(warning)
    assert warning in caplog.text


# What spans tell.


def test_what_is_made_in_a_block_is_a_part_of_it(collector: Collector) -> None:
    with tracing.trace("update message", {"number": 7}, kind="consumer") as update:
        with tracing.span("stage store") as stage:
            leaf = tracing.span("sendPhoto", kind="client")
            leaf.end()
        assert tracing.current.get() is update
        linking = tracing.span("batch", links=[SENT])
        linking.end()
    assert tracing.current.get() is tracing.NOOP
    tracing.end(5)
    spans = {span.name: span for span in collector.spans}
    first = spans["update message"]
    assert (first.parent, first.attributes, first.kind) == ("", {"number": 7}, 5)
    assert {span.trace for span in spans.values()} == {first.trace}
    assert spans["stage store"].parent == first.id == update.ids["span_id"]
    assert spans["sendPhoto"].parent == spans["stage store"].id == stage.ids["span_id"]
    assert spans["batch"].links == [SENT.split("-")[2]]
    assert {span.service for span in spans.values()} == {"tests"}
    assert not any(span.failed for span in spans.values())


def test_what_belongs_to_no_trace_makes_no_span(collector: Collector) -> None:
    with tracing.span("tick"), tracing.span("stage", parent=""), tracing.within(None):
        assert tracing.current.get() is tracing.NOOP
    with tracing.span("stage", parent="nonsense") as span:
        assert span.traceparent == ""
    tracing.end(5)
    assert collector.spans == []


def test_a_trace_goes_on_with_what_was_sent_or_kept(collector: Collector) -> None:
    _, trace, sender, _ = SENT.split("-")
    with tracing.span("stage caption", parent=SENT) as stage:
        assert stage.traceparent.startswith(f"00-{trace}-{stage.ids['span_id']}-")
        assert stage.headers == (("traceparent", stage.traceparent),)
    with tracing.within(SENT), tracing.span("transaction"):
        pass
    with tracing.span("of one that is not exported", parent=UNSAMPLED) as dropped:
        assert not dropped.sampled
    tracing.end(5)
    assert {(span.trace, span.parent) for span in collector.spans} == {(trace, sender)}
    assert [span.name for span in collector.spans] == ["stage caption", "transaction"]


@pytest.mark.parametrize(("sampler", "flags"), [("always_off", "01"), ("", "00")])
def test_what_is_not_sampled_is_not_exported_but_goes_on(
    monkeypatch: pytest.MonkeyPatch, sampler: str, flags: str
) -> None:
    with traced(monkeypatch, OTEL_TRACES_SAMPLER=sampler) as collector:
        with tracing.span("remote", parent=f"{SENT[:-2]}{flags}") as span, tracing.span("part"):
            span.set("name", 1)
            span.link(SENT)
            assert span.traceparent.startswith(SENT[:36])
            assert span.traceparent.endswith("-00")
        if sampler:
            with tracing.trace("root") as root:
                assert root.traceparent.endswith("-00")
        tracing.end(5)
    assert collector.spans == []


def test_an_error_is_told_by_its_code_or_type_and_never_in_words(collector: Collector) -> None:
    class Refused(Exception):
        code = "unknown-job"

    for error in (Refused(WRITTEN), ValueError(WRITTEN)):
        with pytest.raises(type(error)), tracing.trace(type(error).__name__):
            raise error
    twice = tracing.trace("twice")
    twice.end("first")
    twice.end("second")
    tracing.end(5)
    assert {span.name: span.attributes["error.type"] for span in collector.spans} == {
        "Refused": "unknown-job",
        "ValueError": "ValueError",
        "twice": "first",
    }
    assert all(span.failed for span in collector.spans)
    assert not any(WRITTEN.encode() in body for _, body in collector.bodies)


@pytest.mark.parametrize(
    ("variables", "service"),
    [
        ({"OTEL_SERVICE_NAME": "painters"}, "painters"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=painters,deployment=club"}, "painters"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "deployment=club"}, "tests"),
    ],
)
def test_the_service_is_named_as_the_environment_says(
    variables: dict[str, str], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with traced(monkeypatch, **variables) as collector:
        tracing.trace("update").end()
    (span,) = collector.spans
    assert span.service == service


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        SENT.upper(),
        SENT + "-more",
        SENT + "\n",
        "01" + SENT[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        SENT * 1000,
    ],
)
def test_what_is_not_well_formed_is_dropped(traceparent: str) -> None:
    assert tracing.well_formed(traceparent) == ""
    assert tracing.received([("authorization", "x"), ("traceparent", traceparent)]) == ""
    assert tracing.received([("authorization", "x"), ("traceparent", SENT)]) == SENT


def test_what_is_nobodys_stays_so_whatever_is_around_it(collector: Collector) -> None:
    with tracing.trace("handle") as handle:
        with tracing.within(None), tracing.span("LeaseGenerations"):
            assert tracing.current.get() is tracing.NOOP
        with tracing.span("stage", parent=""), tracing.span("sendPhoto"):
            assert tracing.current.get() is tracing.NOOP
        assert tracing.current.get() is handle
    tracing.end(5)
    assert [span.name for span in collector.spans] == ["handle"]


async def test_a_thread_goes_on_with_the_span_and_the_log_names_it(
    collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def work() -> None:
        with tracing.span("transaction"):
            logging.getLogger("work").warning("in the thread")

    try:
        logs.configure("tests", [], "json")
        with ThreadPoolExecutor(1) as threads:
            loop = asyncio.get_running_loop()
            with tracing.trace("update") as update:
                await loop.run_in_executor(threads, tracing.carried(work))
            await loop.run_in_executor(threads, tracing.carried(work))
    finally:
        root.handlers[:], root.level = before, level
        logging.captureWarnings(capture=False)
    tracing.end(5)
    (span,) = collector.named("transaction")
    within, without = map(json.loads, capsys.readouterr().err.splitlines())
    assert (within["trace_id"], within["span_id"]) == (update.ids["trace_id"], span.id)
    assert without.keys() == within.keys() - {"trace_id", "span_id"}


# The export.


def test_a_collector_that_is_away_is_a_line_and_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "512")
    before = set(threading.enumerate())
    tracing.begin("tests", proxy_for)
    began = time.monotonic()
    for _ in range(2000):  # more than may wait
        tracing.trace("update").end()
    assert time.monotonic() - began < 2
    began = time.monotonic()
    tracing.end(0.3)
    assert time.monotonic() - began < 1
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    (line,) = caplog.messages
    assert line.startswith("Traces are not exported as they should be: ")
    assert "Traceback" not in caplog.text


def test_one_that_refuses_is_a_line(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    collector.status = 401
    tracing.trace("update").end()
    tracing.end(5)
    # pytest listens to loggers that keep their records to themselves, too.
    (line,) = [record for record in caplog.records if record.name.startswith("lookalike.")]
    assert "401" in line.getMessage()


def test_tokens_for_the_collector_are_no_news_for_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20c2VjcmV0,x-team=a")
    assert set(tracing.secrets()) == {"Basic%20c2VjcmV0", "Basic c2VjcmV0"}
