"""Every error becomes a status of the contract; nothing inner reaches the caller."""

from types import TracebackType
from typing import Any

from grpc.aio import ServicerContext

from dbservice import status
from dbservice.errors import as_service_error
from dbservice.interceptors.calls import Call, CallInterceptor


class ErrorInterceptor(CallInterceptor):
    """The outermost one: it answers what all others let through."""

    def begin(self, method: str, handler: Any, context: ServicerContext[Any, Any]) -> Call:
        """Answers the call's error, if it ends with one."""
        del method, handler
        return _Answered(context)


class _Answered(Call):
    def __init__(self, context: ServicerContext[Any, Any]) -> None:
        self._context = context

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception):
            await status.abort(self._context, as_service_error(error))
