"""Bytes become messages and messages bytes: outside are sizes to be counted, inside are fields.

gRPC would do it out of sight of all interceptors, and a message tells its size only by being
serialized once more.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc.aio import ServicerContext

from dbservice import status
from dbservice.errors import ServiceError, invalid
from dbservice.interceptors.calls import HEALTH, Call, CallInterceptor


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

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the RPC's handler; of a health check, what it is asked alone."""
        handler = await super().intercept_service(continuation, handler_call_details)
        of_health = handler_call_details.method.startswith(HEALTH)
        return _parsed(handler) if handler and of_health else handler


def _parsed(handler: Any) -> Any:
    """A health check's handler; one writes to the context, and so no `Call` can be put around."""
    make, behaviour = (
        (grpc.unary_stream_rpc_method_handler, handler.unary_stream)
        if handler.response_streaming
        else (grpc.unary_unary_rpc_method_handler, handler.unary_unary)
    )

    async def parsed(request: bytes, context: ServicerContext[Any, Any]) -> Any:
        try:
            message = _parse(handler.request_deserializer, request)
        except ServiceError as error:
            await status.abort(context, error)
        return await behaviour(message, context)

    return make(parsed, None, handler.response_serializer)


def _parse(deserialize: Callable[[bytes], Any], request: bytes) -> Any:
    try:
        return deserialize(request)
    except DecodeError:
        raise invalid(("request", "is no message of the contract")) from None


class _Coded(Call):
    def __init__(
        self, deserialize: Callable[[bytes], Any], serialize: Callable[[Any], bytes]
    ) -> None:
        self._deserialize = deserialize
        self._serialize = serialize

    def request(self, request: bytes) -> Any:
        return _parse(self._deserialize, request)

    def response(self, response: Any) -> bytes:
        return self._serialize(response)
