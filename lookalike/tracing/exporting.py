"""Spans for OpenTelemetry's SDK, which exports them by OTLP over HTTP; nobody else imports it.

No provider is made the global one: libraries that look for that (FastAPI, Azure's) would tell of
URLs, in which there are tokens, and of messages of exceptions.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)

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

_SCOPE: Final = InstrumentationScope("lookalike", __version__)

_UNSET: Final = Status(StatusCode.UNSET)
_FAILED: Final = Status(StatusCode.ERROR)

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
        provider = TracerProvider(resource=_resource(service), shutdown_on_exit=False)
        self._resource = provider.resource
        self._sampler = provider.sampler
        self._ids = provider.id_generator
        self._processor = BatchSpanProcessor(OTLPSpanExporter(session=session))

    def begin(self, name: str, attributes: Attributes | None, kind: Kind) -> Span:
        """Begins a trace, with its first span."""
        trace_id = self._ids.generate_trace_id()
        return self._start(name, None, trace_id, Context(), attributes, kind, [])

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
        others = [Link(other) for other in map(_context_of, links) if other is not None]
        parent = of.context
        context = set_span_in_context(NonRecordingSpan(parent)) if parent.is_remote else None
        return self._start(name, parent, parent.trace_id, context, attributes, kind, others)

    def remote(self, traceparent: str) -> Span:
        """What was begun elsewhere."""
        context = _context_of(traceparent)
        return _Detached() if context is None else _Recording(context)

    def close(self, seconds: float) -> None:
        """Exports what is left.

        The SDK would wait for 30 s; its own threads end with the process.
        """
        closing = threading.Thread(target=self._processor.shutdown, name="last-spans", daemon=True)
        closing.start()
        closing.join(seconds)

    def _start(
        self,
        name: str,
        parent: SpanContext | None,
        trace_id: int,
        context: Context | None,
        attributes: Attributes | None,
        kind: Kind,
        links: list[Link],
    ) -> Span:
        """Starts a span.

        The SDK's own spans take almost twice as long to make, and ten are in every job.

        Args:
            name: its name.
            parent: what it is a part of.
            trace_id: its trace's.
            context: for the sampler, which is asked where a trace begins or comes in; None: it is
                sampled if its parent is.
            attributes: that it begins with.
            kind: its kind.
            links: what it has to do with.
        """
        flags = parent.trace_flags if parent is not None else TraceFlags()
        if context is not None:
            asked = self._sampler.should_sample(context, trace_id, name, _KINDS[kind], attributes)
            flags = TraceFlags(asked.decision is Decision.RECORD_AND_SAMPLE)
        span_id = self._ids.generate_span_id()
        own = SpanContext(trace_id, span_id, is_remote=False, trace_flags=flags)
        if not flags.sampled:
            return _Recording(own)
        recorded = _Recorded(name, parent, kind, {**(attributes or {})}, links)
        return _Recording(own, recorded, self._export)

    def _export(self, context: SpanContext, recorded: "_Recorded", error: str) -> None:
        if error:
            recorded.attributes["error.type"] = error
        span = ReadableSpan(
            recorded.name,
            context,
            recorded.parent,
            self._resource,
            recorded.attributes,
            links=recorded.links,
            kind=_KINDS[recorded.kind],
            status=_FAILED if error else _UNSET,
            start_time=recorded.began,
            end_time=time.time_ns(),
            instrumentation_scope=_SCOPE,
        )
        self._processor.on_end(span)


@dataclass(slots=True)
class _Recorded:
    """What a span is exported with, besides its ids and its end."""

    name: str
    parent: SpanContext | None
    kind: Kind
    attributes: dict[str, str | int | float]
    links: list[Link]
    began: int = field(default_factory=time.time_ns)


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
    """A span of a trace; or, with nothing recorded, what stands for one that is not exported here.

    Attributes:
        context: its ids.
    """

    def __init__(
        self,
        context: SpanContext,
        recorded: _Recorded | None = None,
        export: Callable[[SpanContext, _Recorded, str], None] | None = None,
    ) -> None:
        super().__init__()
        self.context: Final = context
        self._recorded = recorded
        self._export = export
        self._shown = self

    @property
    def traceparent(self) -> str:
        trace_id, span_id = self.ids.values()
        return f"00-{trace_id}-{span_id}-{self.context.trace_flags:02x}"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return ((HEADER, self.traceparent),)

    @property
    def ids(self) -> Mapping[str, str]:
        return {
            "trace_id": format_trace_id(self.context.trace_id),
            "span_id": format_span_id(self.context.span_id),
        }

    @property
    def sampled(self) -> bool:
        return self.context.trace_flags.sampled

    def rename(self, name: str) -> None:
        if self._recorded is not None:
            self._recorded.name = name

    def set(self, name: str, value: str | float) -> None:
        if self._recorded is not None:
            self._recorded.attributes[name] = value

    def link(self, traceparent: str) -> None:
        if self._recorded is not None and (context := _context_of(traceparent)) is not None:
            self._recorded.links.append(Link(context))

    def end(self, error: str = "") -> None:
        recorded, self._recorded = self._recorded, None
        if recorded is not None and self._export is not None:
            self._export(self.context, recorded, error)


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
