"""The bearer token (RFC 6750) that every caller shows, in the call's metadata."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import grpc

from dbservice.errors import Reason, ServiceError, invalid
from lookalike.tokens import same_token

_SCHEME = "Bearer "

_OPEN: Final = "/grpc.health.v1.Health/Check"
"""A supervisor asks it often, and knows no token."""

_REQUEST_SECONDS = 5.0
"""How long a caller without a token may hold a call before the request is there."""


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Lets through only the calls that carry `authorization: Bearer <token>`."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Refuses a call without the token before a byte of it is read."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None  # there is no such method, which is no secret; others may not name any
        metadata = dict(handler_call_details.invocation_metadata)
        given = str(metadata.get("authorization", ""))
        if given.startswith(_SCHEME) and same_token(given.removeprefix(_SCHEME), self._token):
            return handler
        if handler_call_details.method == _OPEN:
            return _in_time(handler)
        # The one shape that fits every caller, for it need neither read nor answer.
        return grpc.stream_stream_rpc_method_handler(_refuse)


async def _refuse(_requests: object, _context: object) -> AsyncIterator[bytes]:
    raise ServiceError(Reason.UNAUTHENTICATED, "The call carries no valid bearer token.")
    yield b""  # type: ignore[unreachable]  # it makes this a generator


def _in_time(handler: Any) -> Any:
    """A unary handler for which the request has to be there soon."""

    async def unary(requests: AsyncIterator[Any], context: Any) -> Any:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                request = await anext(requests)
        except (TimeoutError, StopAsyncIteration):
            raise invalid(("request", "is missing")) from None
        return await handler.unary_unary(request, context)

    return grpc.stream_unary_rpc_method_handler(unary)
