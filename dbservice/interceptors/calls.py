"""An interceptor that is written once for RPCs of every shape."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Final, Self

import grpc
from grpc.aio import ServicerContext

_Context = ServicerContext[Any, Any]
_Codec = Callable[[Any], Any] | None


class Call:
    """What an interceptor does around one call, as an asynchronous context manager.

    What passes is a message, or its bytes: outside of the codec's interceptor.
    """

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

    def request(self, request: Any) -> Any:
        """What is handed on of a request."""
        return request

    def response(self, response: Any) -> Any:
        """What is handed back of a response."""
        return response


class CallInterceptor(grpc.aio.ServerInterceptor, ABC):
    """Puts a `Call` around each call."""

    @abstractmethod
    def begin(self, method: str, handler: Any, context: _Context) -> Call:
        """What to do around this call.

        Args:
            method: the RPC's full name.
            handler: what is called.
            context: the call's.
        """

    def codec(self, handler: Any) -> tuple[_Codec, _Codec]:
        """How gRPC makes requests of bytes, and bytes of responses; None: not at all."""
        return handler.request_deserializer, handler.response_serializer

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the RPC's handler."""
        method = handler_call_details.method
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        around = _Around(handler, lambda context: self.begin(method, handler, context))
        make, behaviour = _SHAPES[handler.request_streaming, handler.response_streaming]
        return make(getattr(around, behaviour), *self.codec(handler))


_SHAPES: Final[dict[tuple[bool, bool], tuple[Callable[..., Any], str]]] = {
    (False, False): (grpc.unary_unary_rpc_method_handler, "unary_unary"),
    (False, True): (grpc.unary_stream_rpc_method_handler, "unary_stream"),
    (True, False): (grpc.stream_unary_rpc_method_handler, "stream_unary"),
    (True, True): (grpc.stream_stream_rpc_method_handler, "stream_stream"),
}


class _Around:
    """A handler with a `Call` around it, in each shape that it may have.

    A handler that sends a stream must be a generator. grpc.aio also takes a coroutine that writes
    to the context, but its responses would pass unseen.
    """

    # The types of handlers know threads alone, hence the Any.
    def __init__(self, handler: Any, begin: Callable[[_Context], Call]) -> None:
        self._handler = handler
        self._begin = begin

    async def unary_unary(self, request: Any, context: _Context) -> Any:
        async with self._begin(context) as call:
            return call.response(await self._handler.unary_unary(call.request(request), context))

    async def unary_stream(self, request: Any, context: _Context) -> AsyncIterator[Any]:
        async with self._begin(context) as call:
            responses = self._handler.unary_stream(call.request(request), context)
            async with aclosing(responses):
                async for response in responses:
                    yield call.response(response)

    async def stream_unary(self, requests: AsyncIterator[Any], context: _Context) -> Any:
        async with self._begin(context) as call:
            each = _each(requests, call)
            return call.response(await self._handler.stream_unary(each, context))

    async def stream_stream(
        self, requests: AsyncIterator[Any], context: _Context
    ) -> AsyncIterator[Any]:
        async with self._begin(context) as call:
            responses = self._handler.stream_stream(_each(requests, call), context)
            async with aclosing(responses):
                async for response in responses:
                    yield call.response(response)


async def _each(requests: AsyncIterator[Any], call: Call) -> AsyncIterator[Any]:
    async for request in requests:
        yield call.request(request)
