"""Every request of the contract is checked before its RPC sees it, each message of a stream too."""

from typing import Any

from google.protobuf.message import Message
from grpc.aio import ServicerContext

from dbservice.interceptors.calls import Call, CallInterceptor
from dbservice.validation import check


class ValidationInterceptor(CallInterceptor):
    """Refuses what the contract does not allow."""

    def __init__(self, service: str) -> None:
        """Checks the requests of the service with this full name."""
        self._prefix = f"/{service}/"

    def begin(self, method: str, handler: Any, context: ServicerContext[Any, Any]) -> Call:
        """Checks each request."""
        del handler, context
        return _Checked() if method.startswith(self._prefix) else Call()


class _Checked(Call):
    def request(self, request: Message) -> Message:
        check(request)
        return request
