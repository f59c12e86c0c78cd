"""Traces: how long a photo was where, across services, processes and restarts.

Nothing is traced, and nothing here imports OpenTelemetry, unless the environment names a collector
by the standard variables (opentelemetry.io, OpenTelemetry Protocol Exporter). Then a trace begins
with an update, a press in the gallery, or a request to the generator that brings none along. It
goes on wherever its `traceparent` (W3C Trace Context) goes: in gRPC's metadata, in HTTP's headers,
and in the rows, for whoever takes the work up later. What belongs to no trace, such as a tick or a
health check, makes no spans.

Attributes are ids of photos, generations and jobs, codes and counts: never a secret, what somebody
wrote, a file's name, or who they are. An error is told by its code or its type, for its message may
quote anything.
"""

import contextvars
import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, ParamSpec, Self, TypeAlias, TypeVar
from urllib.parse import unquote

if TYPE_CHECKING:
    from lookalike.tracing.exporting import Tracer

Kind: TypeAlias = Literal["internal", "server", "client", "consumer"]
"""A span's kind, as OpenTelemetry has it."""

Attributes: TypeAlias = Mapping[str, str | int | float]

HEADER: Final = "traceparent"
"""Of W3C Trace Context; in gRPC's metadata, too."""

_VERSION_0: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HEADERS: Final = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")

_SHORTEST_SECRET: Final = 8
"""Characters. What is shorter names a team or the like, and would be found in any word."""

_log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_R = TypeVar("_R")


class Span:
    """Something that takes time. This one is not recorded: its methods do nothing.

    It begins when it is made. In the block of its `with` statement it is current: what is made
    there is a part of it. At the block's end it ends.
    """

    @property
    def traceparent(self) -> str:
        """What makes another process's spans parts of it; empty: nothing does."""
        return ""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The same as it is sent: one header, or none."""
        return ()

    @property
    def ids(self) -> Mapping[str, str]:
        """`trace_id` and `span_id` in hex, as a log has them; or nothing."""
        return {}

    @property
    def sampled(self) -> bool:
        """Whether it is exported."""
        return False

    def rename(self, name: str) -> None:
        """Gives it another name, of which there are a few."""

    def set(self, name: str, value: str | float) -> None:
        """Adds an attribute."""

    def link(self, traceparent: str) -> None:
        """Says that it has to do with a span that it is no part of."""

    def end(self, error: str = "") -> None:
        """It ends now, unless it has ended; `error` is what `error_of` gives."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """The block is over."""


NOOP: Final = Span()

current: ContextVar[Span] = ContextVar("span", default=NOOP)
"""The span that what is made just now is a part of."""

_tracer: "Tracer | None" = None


def begin(service: str, proxy_for: Callable[[str], str | None]) -> None:
    """Traces from now on, if the environment says so.

    What is wrong with that is a warning: no service fails for its traces.

    Args:
        service: its `service.name`, unless the environment gives another.
        proxy_for: gives the proxy for a URL, if there is one.
    """
    global _tracer  # noqa: PLW0603, a process has one
    endpoint = _endpoint()
    if endpoint is None:
        return
    try:
        from lookalike.tracing.exporting import Tracer

        _tracer = Tracer(service, proxy_for(endpoint))
    except ModuleNotFoundError as error:
        _log.warning(
            "Nothing is traced, as there is no package %s: pip install 'lookalike[telemetry]'.",
            error.name,
        )
    except Exception as error:  # noqa: BLE001, as above
        _log.warning("Nothing is traced: %s", error)


def end(seconds: float) -> None:
    """Exports what is not exported yet, but for no longer than this, and traces no more."""
    global _tracer  # noqa: PLW0603, as above
    if _tracer is not None:
        _tracer.close(seconds)
        _tracer = None


def is_on() -> bool:
    """Whether this process traces."""
    return _tracer is not None


def secrets() -> list[str]:
    """What the environment has for the collector, and no log may have: tokens in headers."""
    found: list[str] = []
    for name in _HEADERS:
        for header in filter(None, os.environ.get(name, "").split(",")):
            value = header.partition("=")[2].strip()
            found += {value, unquote(value)}
    return [value for value in found if len(value) >= _SHORTEST_SECRET]


def _endpoint() -> str | None:
    """The collector's URL; None: nothing is to be traced."""
    endpoint = _first_of(*_ENDPOINTS)
    is_disabled = _first_of("OTEL_SDK_DISABLED").lower() == "true"
    if not endpoint or is_disabled or _first_of("OTEL_TRACES_EXPORTER") not in {"", "otlp"}:
        return None
    if _first_of(*_PROTOCOLS) not in {"", "http/protobuf"}:
        _log.warning("Nothing is traced: of OTLP's protocols, only http/protobuf is spoken here.")
        return None
    return endpoint


def _first_of(*names: str) -> str:
    """The first variable's value that is not empty; or that."""
    return next(filter(None, (os.environ.get(name, "").strip() for name in names)), "")


def well_formed(traceparent: str) -> str:
    """A `traceparent` from outside as it may be kept: 55 characters, or "" for anything else."""
    return traceparent if _VERSION_0.fullmatch(traceparent) else ""


def received(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The caller's `traceparent` among a call's metadata, or headers; "": there is none."""
    return next((well_formed(str(value)) for name, value in metadata if name == HEADER), "")


def error_of(error: BaseException | None) -> str:
    """An error's own code, or else the name of its type; "": there is none."""
    if error is None:
        return ""
    code = getattr(error, "code", None)
    return code if isinstance(code, str) else type(error).__name__


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: Kind = "internal",
    parent: str | Span | None = None,
    links: Sequence[str] = (),
) -> Span:
    """Begins a part of something.

    Args:
        name: of which there are a few.
        attributes: see this module.
        kind: internal, unless it is an end of a call.
        parent: what it is a part of; of another process, as a `traceparent`. Where that is empty or
            not well-formed, neither the span nor what is made in its block is recorded. None: what
            is current.
        links: to what else it has to do with.
    """
    if _tracer is None:
        return NOOP
    of = _tracer.remote(parent) if isinstance(parent, str) else parent or current.get()
    return _tracer.part(of, name, attributes, kind, links)


def trace(name: str, attributes: Attributes | None = None, *, kind: Kind = "internal") -> Span:
    """Begins a trace, with its first span; see `span`."""
    return NOOP if _tracer is None else _tracer.begin(name, attributes, kind)


def within(traceparent: str | None) -> Span:
    """What was begun elsewhere, to be current in the block of a `with` statement.

    Nothing ends with it. Where there is no `traceparent`, nothing is current there.
    """
    return NOOP if _tracer is None else _tracer.remote(traceparent or "")


def carried(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function as a thread is to call it for which the same span is current as here."""
    if current.get() is NOOP:
        return function
    return partial(contextvars.copy_context().run, function)
