"""What happens in this service, announced to whoever listens: the log today."""

import logging
from dataclasses import dataclass

import grpc

from dbservice.errors import Reason, ServiceError

_log = logging.getLogger(__name__)

_STORAGE = frozenset({Reason.DISK_FULL, Reason.STORAGE_UNAVAILABLE})


@dataclass(frozen=True)
class RpcDone:
    """A call that has ended.

    Attributes:
        method: the RPC's name, without its service.
        code: the status that the caller got; CANCELLED if they did not wait for it.
        seconds: from the call's arrival to its end.
        received: bytes of all requests.
        sent: bytes of all responses.
        error: why it failed, with its reason; None for one that did not.
    """

    method: str
    code: grpc.StatusCode
    seconds: float
    received: int
    sent: int
    error: ServiceError | None


@dataclass(frozen=True)
class SweepDone:
    """Stored bytes were compared with the rows.

    Attributes:
        seconds: how long that took.
        named: how many keys are in a row.
        unnamed: how many old ones are in none.
        deleted: whether the bytes of these were deleted.
    """

    seconds: float
    named: int
    unnamed: int
    deleted: bool


@dataclass(frozen=True)
class RetentionDone:
    """What is too old was looked for.

    Attributes:
        certain: whether the clock could be believed; nothing is deleted while it cannot.
        photos: how many were deleted.
        generations: how many were deleted.
    """

    certain: bool
    photos: int
    generations: int


class Observer:
    """Is told what happens, on the event loop. A listener overrides what it wants to hear of."""

    def rpc_done(self, call: RpcDone) -> None:
        """A call has ended."""

    def sweep_done(self, sweep: SweepDone) -> None:
        """Stored bytes were compared with the rows."""

    def retention_done(self, retention: RetentionDone) -> None:
        """What is too old was looked for."""

    def maintenance_failed(self, error: ServiceError) -> None:
        """Bytes that should go are still there; it is tried again later."""


class LogObserver(Observer):
    """Logs what an operator has to know: faults of the storage in a line, our own in full."""

    def rpc_done(self, call: RpcDone) -> None:
        """Logs a fault; what is the caller's own doing is theirs to log."""
        if call.error is not None:
            _log_fault(call.method, call.error)

    def sweep_done(self, sweep: SweepDone) -> None:
        """Logs what was deleted, or why nothing was."""
        if sweep.unnamed and sweep.deleted:
            _log.info("Deleted %d files that no row names.", sweep.unnamed)
        elif sweep.unnamed:
            _log.warning(
                "The database names %d files, and %d more are in the folder: is it the right "
                "database? Nothing was deleted.",
                sweep.named,
                sweep.unnamed,
            )

    def retention_done(self, retention: RetentionDone) -> None:
        """Logs what was deleted, or why nothing was."""
        if not retention.certain:
            _log.info("The clock is too young or has jumped: nothing is deleted for its age.")
        elif retention.photos:
            photos, pictures = retention.photos, retention.generations
            _log.info("Deleted %d photos and %d pictures for their age.", photos, pictures)

    def maintenance_failed(self, error: ServiceError) -> None:
        """Logs the fault."""
        _log_fault("maintenance", error)


def _log_fault(what: str, error: ServiceError) -> None:
    if error.reason is Reason.INTERNAL:
        _log.error("%s failed.", what, exc_info=error.__cause__)
    elif error.reason in _STORAGE:
        _log.error("%s: %s (%s)", what, error.message, error.__cause__)
