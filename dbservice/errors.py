"""Why a call is refused, in the words of the contract."""

from enum import StrEnum


class Reason(StrEnum):
    """The reasons that a client may branch on; docs/errors.md explains each."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    NOT_FOUND = "NOT_FOUND"
    NOT_OWNER = "NOT_OWNER"
    LEASE_LOST = "LEASE_LOST"
    TRANSITION_NOT_ALLOWED = "TRANSITION_NOT_ALLOWED"
    NOT_CAPTIONED = "NOT_CAPTIONED"
    NOT_CLOSED = "NOT_CLOSED"
    TOO_MANY_UNFINISHED = "TOO_MANY_UNFINISHED"
    DISK_FULL = "DISK_FULL"
    STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"
    INTERNAL = "INTERNAL"


class ServiceError(Exception):
    """A call is refused; nothing of it was recorded.

    Attributes:
        reason: what a client may branch on.
        message: one sentence for a person; it holds nothing of a user's.
        violations: what is wrong with the request, as pairs of field and words.
    """

    def __init__(
        self, reason: Reason, message: str, violations: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.violations = violations


def invalid(*violations: tuple[str, str]) -> ServiceError:
    """The refusal of a request with these fields at fault."""
    words = "; ".join(f"{field} {description}" for field, description in violations)
    return ServiceError(Reason.INVALID_ARGUMENT, f"{words}.", violations)


def not_found(what: str) -> ServiceError:
    """The refusal where something is not there."""
    return ServiceError(Reason.NOT_FOUND, f"There is no such {what}.")


def not_owner(what: str) -> ServiceError:
    """The refusal where something belongs to somebody else."""
    return ServiceError(Reason.NOT_OWNER, f"The {what} is another user's.")
