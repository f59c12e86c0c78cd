"""The bearer token (RFC 6750) that every caller shows, in the call's metadata."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

from dbservice.errors import Reason, ServiceError
from dbservice.interceptors.calls import HEALTH
from lookalike.tokens import same_token

_SCHEME = "Bearer "


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
        metadata = dict(handler_call_details.invocation_metadata)
        given = str(metadata.get("authorization", ""))
        if handler_call_details.method.startswith(HEALTH) or (
            given.startswith(_SCHEME) and same_token(given.removeprefix(_SCHEME), self._token)
        ):
            return await continuation(handler_call_details)
        # The one shape that fits every caller, for it need neither read nor answer.
        return grpc.stream_stream_rpc_method_handler(_refuse)


async def _refuse(_requests: object, _context: object) -> AsyncIterator[bytes]:
    raise ServiceError(Reason.UNAUTHENTICATED, "The call carries no valid bearer token.")
    yield b""  # type: ignore[unreachable]  # it makes this a generator
