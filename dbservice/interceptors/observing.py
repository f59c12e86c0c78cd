"""Every call is announced when it has ended, and is a span of the trace that its caller names."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import grpc
from grpc.aio import ServicerContext

from dbservice.errors import as_service_error
from dbservice.interceptors.calls import Call, CallInterceptor
from dbservice.observers import Observer, RpcDone
from dbservice.status import CODES
from lookalike import tracing


class ObservingInterceptor(CallInterceptor):
    """Tells the observers how each call went."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def begin(self, method: str, handler: Any, context: ServicerContext[Any, Any]) -> Call:
        """Measures the call from now on."""
        del handler
        parent = tracing.received(context.invocation_metadata() or ())
        span = tracing.span(method[1:], kind="server", parent=parent)
        return _Observed(method.rpartition("/")[2], span, self._observers)


class _Observed(Call):
    def __init__(self, method: str, span: tracing.Span, observers: Sequence[Observer]) -> None:
        self._method = method
        self._span = span
        self._observers = observers
        self._began = time.perf_counter()
        self._received = 0
        self._sent = 0

    async def __aenter__(self) -> Self:
        self._span.__enter__()
        return self

    def request(self, request: bytes) -> bytes:
        self._received += len(request)
        return request

    def response(self, response: bytes) -> bytes:
        self._sent += len(response)
        return response

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        told = as_service_error(error) if isinstance(error, Exception) else None
        if told is not None:
            code = CODES[told.reason]
        else:
            code = grpc.StatusCode.OK if error is None else grpc.StatusCode.CANCELLED
        done = RpcDone(
            self._method,
            code,
            time.perf_counter() - self._began,
            self._received,
            self._sent,
            told,
        )
        for observer in self._observers:
            observer.rpc_done(done)
        self._span.set("rpc.response.status_code", code.name)
        self._span.end(told.reason if told is not None else "")
        self._span.__exit__(kind, error, traceback)
