"""What may come of a call to dbservice, as far as the bot acts on it."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


class DatabaseError(Exception):
    """A call to dbservice failed; the text has the reason, or the status, and its message.

    Attributes:
        reason: why, as docs/errors.md lists it; "" where dbservice itself did not answer, or
            gRPC did so in its place (a message that is too large, for example).
        goes_on_at: when a quota goes on, as the contract has it; "": it is another error, or the
            quota is none at all.
    """

    def __init__(self, message: str, reason: str = "", goes_on_at: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.goes_on_at = goes_on_at


class DatabaseUnavailable(DatabaseError):
    """It cannot be reached, or cannot write just now; the same call may succeed later."""

    @property
    def is_full(self) -> bool:
        """Whether it has no room, which takes somebody to see to it."""
        return self.reason in {"DISK_FULL", "STORAGE_FULL"}


class WrongToken(DatabaseUnavailable):
    """Our SERVICE_TOKEN is not dbservice's, until somebody corrects that."""


class InvalidRequest(DatabaseError):
    """The request itself is wrong; the same one will never succeed."""


class LeaseLost(DatabaseError):
    """Somebody else holds the generation now and decides what comes next."""


class Superseded(DatabaseError):
    """A newer process gets our bot's updates."""


class Lapsed(Superseded):
    """We were silent for too long, and other processes have our chats."""


class Conflict(DatabaseError):
    """The state does not allow it: it has changed since we looked."""


class BeingForgotten(DatabaseError):
    """The user is being forgotten: nothing of theirs is taken until that is done."""


class TooManyUnfinished(DatabaseError):
    """The user has as many unfinished generations as anybody may have."""


class TooMuchKept(DatabaseError):
    """As much is kept of the user's photos and pictures as may be."""


class QuotaUsedUp(DatabaseError):
    """As much was begun today as may be: by the user or the group, by all, or of captions."""


class MessageTaken(DatabaseError):
    """The message is another generation's, or of another kind."""


class ListFull(DatabaseError):
    """There are as many invites or bans as there may be."""


class NotOwner(DatabaseError):
    """It belongs to another user."""


class NotFound(DatabaseError):
    """It does not exist, or no longer."""


_BY_REASON: Final[Mapping[str, type[DatabaseError]]] = {
    "INVALID_ARGUMENT": InvalidRequest,
    "UNAUTHENTICATED": WrongToken,
    "NOT_FOUND": NotFound,
    "NOT_OWNER": NotOwner,
    "LEASE_LOST": LeaseLost,
    "SUPERSEDED": Superseded,
    "LAPSED": Lapsed,
    "TRANSITION_NOT_ALLOWED": Conflict,
    "NOT_CAPTIONED": Conflict,
    "NOT_CLOSED": Conflict,
    "BEING_FORGOTTEN": BeingForgotten,
    "TOO_MANY_UNFINISHED": TooManyUnfinished,
    "MESSAGE_TAKEN": MessageTaken,
    "TOO_MUCH_KEPT": TooMuchKept,
    "QUOTA_OF_USER": QuotaUsedUp,
    "QUOTA_OF_BOT": QuotaUsedUp,
    "QUOTA_OF_CAPTIONS": QuotaUsedUp,
    "LIST_FULL": ListFull,
    "STORAGE_FULL": DatabaseUnavailable,
    "DISK_FULL": DatabaseUnavailable,
    "STORAGE_UNAVAILABLE": DatabaseUnavailable,
}
"""The errors that dbservice gives a reason for; any other reason is a plain DatabaseError."""

_UNREACHABLE: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,  # by a service that stops while it works on the call
    }
)
"""What gRPC says of its own where there is no answer."""


def _told(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    # The error has what the function asks of a call: code, details and trailing metadata.
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            break
    return info


@contextmanager
def translated() -> Generator[None, None, None]:
    """Raises a `DatabaseError` in place of gRPC's."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        told = _told(error)
        reason = str(told.reason)
        kind = _BY_REASON.get(reason, DatabaseError)
        if not reason and error.code() in _UNREACHABLE:
            kind = DatabaseUnavailable
        message = f"{reason or error.code().name}: {error.details()}"
        raise kind(message, reason, told.metadata["goes_on_at"]) from error
