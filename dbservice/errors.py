"""Why a call fails, in the words of the contract."""

import errno
from enum import StrEnum

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Reason(StrEnum):
    """The reasons that a client may branch on; docs/errors.md explains each."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    NOT_FOUND = "NOT_FOUND"
    NOT_OWNER = "NOT_OWNER"
    LEASE_LOST = "LEASE_LOST"
    SUPERSEDED = "SUPERSEDED"
    LAPSED = "LAPSED"
    TRANSITION_NOT_ALLOWED = "TRANSITION_NOT_ALLOWED"
    NOT_CAPTIONED = "NOT_CAPTIONED"
    NOT_CLOSED = "NOT_CLOSED"
    MESSAGE_TAKEN = "MESSAGE_TAKEN"
    BEING_FORGOTTEN = "BEING_FORGOTTEN"
    TOO_MANY_UNFINISHED = "TOO_MANY_UNFINISHED"
    TOO_MUCH_KEPT = "TOO_MUCH_KEPT"
    QUOTA_OF_USER = "QUOTA_OF_USER"
    QUOTA_OF_BOT = "QUOTA_OF_BOT"
    QUOTA_OF_CAPTIONS = "QUOTA_OF_CAPTIONS"
    STORAGE_FULL = "STORAGE_FULL"
    LIST_FULL = "LIST_FULL"
    DISK_FULL = "DISK_FULL"
    STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"
    INTERNAL = "INTERNAL"


class ServiceError(Exception):
    """A call fails; nothing of it was recorded.

    Attributes:
        reason: what a client may branch on.
        message: one sentence for a person; it holds nothing of a user's.
        violations: what is wrong with the request, as pairs of field and description.
        goes_on_at: when a quota goes on, as the contract has it.
    """

    def __init__(
        self,
        reason: Reason,
        message: str,
        violations: tuple[tuple[str, str], ...] = (),
        *,
        goes_on_at: str = "",
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.violations = violations
        self.goes_on_at = goes_on_at


def invalid(*violations: tuple[str, str]) -> ServiceError:
    """The error of a request with these fields at fault."""
    message = "; ".join(f"{field} {description}" for field, description in violations)
    return ServiceError(Reason.INVALID_ARGUMENT, f"{message}.", violations)


def unknown_cursor() -> ServiceError:
    """A request goes on where no earlier response has ended."""
    return invalid(("cursor", "is not one of an earlier response"))


def not_found(what: str) -> ServiceError:
    """The error where something does not exist."""
    return ServiceError(Reason.NOT_FOUND, f"There is no such {what}.")


def not_owner(what: str) -> ServiceError:
    """The error where something belongs to somebody else."""
    return ServiceError(Reason.NOT_OWNER, f"The {what} is another user's.")


def as_service_error(error: Exception) -> ServiceError:
    """What a caller is told of any error: the one place where the disk's and our own are mapped.

    The original is the `__cause__`, for the log alone.
    """
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, OSError) and error.errno in _FULL:
        told = ServiceError(Reason.DISK_FULL, "The disk is full.")
    elif isinstance(error, OSError):
        told = ServiceError(
            Reason.STORAGE_UNAVAILABLE,
            "The database or the storage is unavailable; the log says why.",
        )
    else:
        told = ServiceError(Reason.INTERNAL, "The service failed; its log says why.")
    told.__cause__ = error
    return told
