"""Every call is announced when it has ended."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from grpc.aio import ServicerContext

from dbservice.interceptors.calls import Call, CallInterceptor
from dbservice.observers import Observer, RpcDone
from dbservice.status import outcome_of


class ObservingInterceptor(CallInterceptor):
    """Tells the observers how each call went."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def begin(self, method: str, handler: Any, context: ServicerContext[Any, Any]) -> Call:
        """Measures the call from now on."""
        del handler, context
        return _Observed(method.rpartition("/")[2], self._observers)


class _Observed(Call):
    def __init__(self, method: str, observers: Sequence[Observer]) -> None:
        self._method = method
        self._observers = observers
        self._began = time.perf_counter()
        self._received = 0
        self._sent = 0

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
        told, code = outcome_of(error)
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
