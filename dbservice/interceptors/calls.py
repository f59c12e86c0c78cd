"""An interceptor that is written once for RPCs of every shape."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.message import Message
from grpc.aio import ServicerContext

HEALTH = "/grpc.health.v1.Health/"
"""Whose calls are left alone: a supervisor asks often, and knows no token."""

_Context = ServicerContext[Any, Any]


class Call:
    """What an interceptor does around one call, as an asynchronous context manager."""

    async def __aenter__(self) -> Self:
        """The call begins."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """The call ends, with this error if there is one."""

    def request(self, message: Message) -> None:
        """A request has arrived and is about to be handed on."""

    def response(self, message: Message) -> None:
        """A response is about to be sent."""


class CallInterceptor(grpc.aio.ServerInterceptor, ABC):
    """Puts a `Call` around each call of every service but the health checks'."""

    @abstractmethod
    def begin(self, method: str, context: _Context) -> Call:
        """What to do around this call; `method` is the RPC's full name."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the RPC's handler."""
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith(HEALTH):
            return handler
        return _wrapped(handler, lambda context: self.begin(method, context))


# The types of handlers know threads alone, hence the Any.
def _wrapped(handler: Any, begin: Callable[[_Context], Call]) -> Any:
    """The handler with a `Call` around it, in the shape that it had.

    A handler that sends a stream must be a generator. grpc.aio also takes a coroutine that writes
    to the context, but its responses would pass unseen.
    """

    async def unary_unary(request: Message, context: _Context) -> Message:
        async with begin(context) as call:
            call.request(request)
            response: Message = await handler.unary_unary(request, context)
            call.response(response)
            return response

    async def unary_stream(request: Message, context: _Context) -> AsyncIterator[Message]:
        async with (
            begin(context) as call,
            aclosing(handler.unary_stream(request, context)) as responses,
        ):
            call.request(request)
            async for response in responses:
                call.response(response)
                yield response

    async def stream_unary(requests: AsyncIterator[Message], context: _Context) -> Message:
        async with begin(context) as call:
            response: Message = await handler.stream_unary(_noted(requests, call), context)
            call.response(response)
            return response

    async def stream_stream(
        requests: AsyncIterator[Message], context: _Context
    ) -> AsyncIterator[Message]:
        async with (
            begin(context) as call,
            aclosing(handler.stream_stream(_noted(requests, call), context)) as responses,
        ):
            async for response in responses:
                call.response(response)
                yield response

    shapes: dict[tuple[bool, bool], tuple[Callable[..., Any], Callable[..., Any]]] = {
        (False, False): (grpc.unary_unary_rpc_method_handler, unary_unary),
        (False, True): (grpc.unary_stream_rpc_method_handler, unary_stream),
        (True, False): (grpc.stream_unary_rpc_method_handler, stream_unary),
        (True, True): (grpc.stream_stream_rpc_method_handler, stream_stream),
    }
    make, behaviour = shapes[handler.request_streaming, handler.response_streaming]
    return make(behaviour, handler.request_deserializer, handler.response_serializer)


async def _noted(requests: AsyncIterator[Message], call: Call) -> AsyncIterator[Message]:
    async for request in requests:
        call.request(request)
        yield request
