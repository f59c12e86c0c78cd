"""Every call is a span of the trace that its caller names."""

from types import TracebackType
from typing import Any, Final, Self

from grpc import StatusCode
from grpc.aio import ServicerContext

from dbservice.interceptors.calls import Call, CallInterceptor
from dbservice.status import outcome_of
from lookalike import tracing

_OUR_FAULTS: Final = frozenset(
    {
        StatusCode.UNKNOWN,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.UNIMPLEMENTED,
        StatusCode.INTERNAL,
        StatusCode.UNAVAILABLE,
        StatusCode.DATA_LOSS,
    }
)
"""Codes with which a server's span has failed (OpenTelemetry, Semantic conventions for gRPC)."""


class TracingInterceptor(CallInterceptor):
    """Traces the calls of one service.

    It stands behind the one that asks for the token: no stranger makes spans.
    """

    def __init__(self, service: str) -> None:
        """Traces the methods of the service with this full name."""
        self._prefix = f"/{service}/"

    def begin(self, method: str, handler: Any, context: ServicerContext[Any, Any]) -> Call:
        """Traces the call from now on."""
        del handler
        if not method.startswith(self._prefix):
            return Call()
        parent = tracing.received(context.invocation_metadata() or ())
        return _Traced(tracing.span(method[1:], kind="server", parent=parent))


class _Traced(Call):
    def __init__(self, span: tracing.Span) -> None:
        self._span = span

    async def __aenter__(self) -> Self:
        self._span.__enter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        refusal, code = outcome_of(error)
        self._span.set("rpc.response.status_code", code.name)
        if refusal is not None:
            self._span.set("lookalike.reason", refusal.reason)
        self._span.end(code.name if code in _OUR_FAULTS else "")
        self._span.__exit__(kind, error, traceback)
