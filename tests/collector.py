"""An OpenTelemetry collector on loopback: it takes OTLP over HTTP, and keeps what it gets."""

import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from lookalike import tracing
from lookalike.proxies import proxy_for

TRACES: Final = "/v1/traces"

SENT: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""What a caller may send: the example of W3C Trace Context, 3.2."""


@dataclass(frozen=True)
class Seen:
    """A span as it was exported.

    Attributes:
        service: the resource's `service.name`.
        instance: the process's.
        scope: the library that made it.
        name: its own.
        kind: OpenTelemetry's number.
        trace: its trace's id, in hex.
        id: its own, likewise.
        parent: likewise; "": it is the first of its trace.
        links: the ids of the spans that it links.
        attributes: by their names.
        failed: whether its status is an error.
        seconds: how long it took.
    """

    service: str
    instance: str
    scope: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    links: Sequence[str]
    attributes: Mapping[str, str | int]
    failed: bool
    seconds: float


class Collector:
    """What came, in its order.

    Attributes:
        url: what OTEL_EXPORTER_OTLP_ENDPOINT is to be.
        bodies: every request's path and body.
        spans: all that were exported.
        status: what it answers.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[tuple[str, bytes]] = []
        self.spans: list[Seen] = []
        self.status = 200

    @property
    def environment(self) -> dict[str, str]:
        """What has a service export to it, and at once."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}

    def take(self, path: str, body: bytes) -> None:
        self.bodies.append((path, body))
        if path == TRACES:
            self.spans += _spans(ExportTraceServiceRequest.FromString(body))

    def named(self, name: str) -> list[Seen]:
        return [span for span in self.spans if span.name == name]


@contextmanager
def collecting() -> Generator[Collector, None, None]:
    """It answers while this lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.status == 200:
                collector.take(self.path, body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def traced(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Generator[Collector, None, None]:
    """This process traces to a collector while this lasts; it has it all after `tracing.end`."""
    with collecting() as collector:
        for name, value in (collector.environment | variables).items():
            monkeypatch.setenv(name, value)
        tracing.begin("tests", proxy_for)
        assert tracing.is_on()
        try:
            yield collector
        finally:
            tracing.end(5)


def _spans(request: ExportTraceServiceRequest) -> Generator[Seen, None, None]:
    for exported in request.resource_spans:
        resource = _values(exported.resource.attributes)
        for scoped in exported.scope_spans:
            for span in scoped.spans:
                yield Seen(
                    service=str(resource["service.name"]),
                    instance=str(resource["service.instance.id"]),
                    scope=scoped.scope.name,
                    name=span.name,
                    kind=span.kind,
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    links=[link.span_id.hex() for link in span.links],
                    attributes=_values(span.attributes),
                    failed=span.status.code == Status.STATUS_CODE_ERROR,
                    seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                )


def _values(attributes: Sequence[KeyValue]) -> dict[str, str | int]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value")
        for each in attributes
    }
