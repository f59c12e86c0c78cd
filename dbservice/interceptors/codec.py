"""Bytes become messages and messages bytes: outside are sizes to be counted, inside are fields.

gRPC would do it out of sight of all interceptors, and a message tells its size only by being
serialized once more.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError
from grpc.aio import ServicerContext

from dbservice.errors import invalid
from dbservice.interceptors.calls import Call, CallInterceptor


class CodecInterceptor(CallInterceptor):
    """Does what gRPC else does before and after a handler."""

    def begin(self, method: str, handler: Any, context: ServicerContext[Any, Any]) -> Call:
        """Translates with the handler's own codec."""
        del method, context
        return _Coded(handler.request_deserializer, handler.response_serializer)

    def codec(self, handler: Any) -> tuple[None, None]:
        """Nothing is left to gRPC."""
        del handler
        return None, None


class _Coded(Call):
    def __init__(
        self, deserialize: Callable[[bytes], Any], serialize: Callable[[Any], bytes]
    ) -> None:
        self._deserialize = deserialize
        self._serialize = serialize

    def request(self, request: bytes) -> Any:
        try:
            return self._deserialize(request)
        except DecodeError:
            raise invalid(("request", "is no message of the contract")) from None

    def response(self, response: Any) -> bytes:
        return self._serialize(response)
