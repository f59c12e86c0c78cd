"""The bearer token (RFC 6750) that every caller shows, in the call's metadata."""

from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import grpc

from dbservice import status
from dbservice.errors import Reason, ServiceError
from lookalike.tokens import same_token

_SCHEME = "Bearer "
_OPEN = "/grpc.health.v1.Health/"
"""What needs no token: a supervisor asks after the service's health and knows no secret."""


class BearerInterceptor(grpc.aio.ServerInterceptor):
    """Lets through only the calls that carry `authorization: Bearer <token>`."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Answers a call without the token with UNAUTHENTICATED, before it reads a byte."""
        metadata = dict(handler_call_details.invocation_metadata)
        given = str(metadata.get("authorization", ""))
        if handler_call_details.method.startswith(_OPEN) or (
            given.startswith(_SCHEME) and same_token(given.removeprefix(_SCHEME), self._token)
        ):
            return await continuation(handler_call_details)
        return grpc.stream_stream_rpc_method_handler(_refuse)


async def _refuse(_requests: Any, context: grpc.aio.ServicerContext[Any, Any]) -> NoReturn:
    await status.abort(
        context, ServiceError(Reason.UNAUTHENTICATED, "The call carries no valid bearer token.")
    )
