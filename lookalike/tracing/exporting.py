"""Spans by OpenTelemetry's SDK, exported by OTLP over HTTP: the only module that imports it.

No provider is made the global one: libraries that look for that (FastAPI, Azure's) would tell of
URLs, in which there are tokens, and of messages of exceptions.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import Token
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace import Span as OpenTelemetrySpan

from lookalike import __version__
from lookalike.tracing import (
    HEADER,
    NOOP,
    Attributes,
    Kind,
    Span,
    current,
    error_of,
    well_formed,
)

_KINDS: Final[Mapping[Kind, SpanKind]] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
}

_UNNAMED: Final = "unknown_service"
"""How a resource's name begins that nobody has chosen."""

_QUIET_SECONDS: Final = 300.0
"""Between two lines about what is wrong with the export."""

_MOST_CHARACTERS: Final = 200

_log = logging.getLogger(__name__)


class Tracer:
    """Makes spans, and exports those that have ended, every few seconds in a thread.

    How many wait for that is bounded (OTEL_BSP_MAX_QUEUE_SIZE): of more, the oldest are lost.
    """

    def __init__(self, service: str, proxy: str | None) -> None:
        """Reads the rest of the standard variables.

        Args:
            service: the resource's `service.name`, if these give none.
            proxy: on the way to the collector.
        """
        library = logging.getLogger("opentelemetry")
        library.propagate = False
        library.handlers = [_RateLimited()]
        session = requests.Session()
        session.trust_env = False
        if proxy is not None:
            session.proxies = {"http": proxy, "https": proxy}
        self._provider = TracerProvider(resource=_resource(service), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(session=session)))
        self._tracer = self._provider.get_tracer("lookalike", __version__)

    def begin(self, name: str, attributes: Attributes | None, kind: Kind) -> Span:
        """Begins a trace, with its first span."""
        return _Recording(self._tracer.start_span(name, Context(), _KINDS[kind], attributes))

    def part(
        self,
        of: Span,
        name: str,
        attributes: Attributes | None,
        kind: Kind,
        links: Sequence[str],
    ) -> Span:
        """Begins a span; a part of what is not recorded is not recorded either."""
        if not isinstance(of, _Recording):
            return of
        context = set_span_in_context(of.of, Context())
        others = [Link(other) for other in map(_context_of, links) if other is not None]
        return _Recording(self._tracer.start_span(name, context, _KINDS[kind], attributes, others))

    def remote(self, traceparent: str) -> Span:
        """What was begun elsewhere."""
        context = _context_of(traceparent)
        return _Detached() if context is None else _Recording(NonRecordingSpan(context))

    def close(self, seconds: float) -> None:
        """Exports what is left.

        The SDK would wait for 30 s; its own threads end with the process.
        """
        closing = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        closing.start()
        closing.join(seconds)


class _Detached(Span):
    """Of no trace, and not recorded: in its block nothing is current, whatever is around it."""

    def __init__(self) -> None:
        self._shown: Span = NOOP
        self._entered: Token[Span] | None = None

    def __enter__(self) -> Self:
        self._entered = current.set(self._shown)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._entered is not None:
            # Where an asynchronous generator is closed by another task, its context is gone.
            with suppress(ValueError):
                current.reset(self._entered)
        self.end(error_of(error))


class _Recording(_Detached):
    """A span of OpenTelemetry's, or what stands for one of another process."""

    def __init__(self, of: OpenTelemetrySpan) -> None:
        super().__init__()
        self.of: Final = of
        self._context: Final = of.get_span_context()
        self._shown = self
        self._ended = False

    @property
    def traceparent(self) -> str:
        trace_id, span_id = self.ids.values()
        return f"00-{trace_id}-{span_id}-{self._context.trace_flags:02x}"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return ((HEADER, self.traceparent),)

    @property
    def ids(self) -> Mapping[str, str]:
        return {
            "trace_id": format_trace_id(self._context.trace_id),
            "span_id": format_span_id(self._context.span_id),
        }

    @property
    def sampled(self) -> bool:
        return self._context.trace_flags.sampled

    def rename(self, name: str) -> None:
        self.of.update_name(name)

    def set(self, name: str, value: str | float) -> None:
        self.of.set_attribute(name, value)

    def link(self, traceparent: str) -> None:
        if (context := _context_of(traceparent)) is not None:
            self.of.add_link(context)

    def end(self, error: str = "") -> None:
        if self._ended:
            return
        self._ended = True
        if error:
            self.of.set_attribute("error.type", error)
            self.of.set_status(StatusCode.ERROR)
        self.of.end()


def _context_of(traceparent: str) -> SpanContext | None:
    """None: it is not well-formed."""
    if not well_formed(traceparent):
        return None
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )


def _resource(service: str) -> Resource:
    """Who traces: as OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, or else by its name."""
    own = Resource({"service.version": __version__, "service.instance.id": str(uuid4())})
    found = own.merge(Resource.create())
    if str(found.attributes["service.name"]).startswith(_UNNAMED):
        found = found.merge(Resource({"service.name": service}))
    return found


class _RateLimited(logging.Handler):
    """Passes on one line every few minutes: OpenTelemetry warns with every batch."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._quiet_until = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now < self._quiet_until:
            return
        self._quiet_until = now + _QUIET_SECONDS
        said = record.getMessage().partition("\n")[0][:_MOST_CHARACTERS]
        _log.warning("Traces are not exported as they should be: %s", said)
