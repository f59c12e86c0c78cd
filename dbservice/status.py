"""How a refusal travels: a gRPC status with the details of google.rpc (AIP-193)."""

from typing import Any, NoReturn

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status.rpc_status import to_status

from dbservice.errors import Reason, ServiceError, as_service_error

DOMAIN = "lookalike"
"""The domain of every ErrorInfo."""

CODES = {
    Reason.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Reason.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Reason.NOT_OWNER: grpc.StatusCode.PERMISSION_DENIED,
    Reason.LEASE_LOST: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.SUPERSEDED: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.LAPSED: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.TRANSITION_NOT_ALLOWED: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.NOT_CAPTIONED: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.NOT_CLOSED: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.BEING_FORGOTTEN: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.TOO_MANY_UNFINISHED: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.MESSAGE_TAKEN: grpc.StatusCode.ALREADY_EXISTS,
    Reason.TOO_MUCH_KEPT: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.QUOTA_OF_USER: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.QUOTA_OF_BOT: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.QUOTA_OF_CAPTIONS: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.STORAGE_FULL: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.LIST_FULL: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.DISK_FULL: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.STORAGE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Reason.INTERNAL: grpc.StatusCode.INTERNAL,
}
"""The status code of each reason."""


def outcome_of(error: BaseException | None) -> tuple[ServiceError | None, grpc.StatusCode]:
    """How a call ends that raises this: why it is refused, if it is, and with which code."""
    if isinstance(error, Exception):
        refusal = as_service_error(error)
        return refusal, CODES[refusal.reason]
    return None, grpc.StatusCode.OK if error is None else grpc.StatusCode.CANCELLED


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: ServiceError) -> NoReturn:
    """Ends a call with the error's code, its reason and the fields at fault."""
    code = CODES[error.reason]
    rich = Status(code=code.value[0], message=error.message)
    metadata = {"goes_on_at": error.goes_on_at} if error.goes_on_at else None
    info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
    rich.details.add().Pack(info)
    if error.violations:
        bad = BadRequest()
        for field, description in error.violations:
            bad.field_violations.add(field=field, description=description)
        rich.details.add().Pack(bad)
    answer = to_status(rich)
    # grpc.aio has no abort_with_status.
    await context.abort(answer.code, answer.details, answer.trailing_metadata)
