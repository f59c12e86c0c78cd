"""The state machine of a generation, in one table."""

from collections.abc import Mapping
from types import MappingProxyType

from dbservice.errors import Reason, ServiceError
from protos.lookalike.db.v1 import db_pb2 as db

RECEIVED = db.GENERATION_STATE_RECEIVED
STORED = db.GENERATION_STATE_STORED
CAPTIONED = db.GENERATION_STATE_CAPTIONED
QUEUED = db.GENERATION_STATE_QUEUED
RUNNING = db.GENERATION_STATE_RUNNING
FINISHED = db.GENERATION_STATE_FINISHED
DELIVERED = db.GENERATION_STATE_DELIVERED
FAILED = db.GENERATION_STATE_FAILED
REFUSED = db.GENERATION_STATE_REFUSED
CANCELLED = db.GENERATION_STATE_CANCELLED
UNDELIVERABLE = db.GENERATION_STATE_UNDELIVERABLE

_NONE: frozenset[db.GenerationState] = frozenset()

TRANSITIONS: Mapping[db.GenerationState, frozenset[db.GenerationState]] = MappingProxyType(
    {
        RECEIVED: frozenset({STORED, FAILED, CANCELLED, UNDELIVERABLE}),
        STORED: frozenset({CAPTIONED, FAILED, CANCELLED, UNDELIVERABLE}),
        # Straight to running: the generator had the job already.
        CAPTIONED: frozenset({QUEUED, RUNNING, FAILED, REFUSED, CANCELLED, UNDELIVERABLE}),
        # Back to captioned: the generator forgot the job, and it is submitted again.
        # Straight to finished: nobody looked while it ran.
        QUEUED: frozenset(
            {CAPTIONED, RUNNING, FINISHED, FAILED, REFUSED, CANCELLED, UNDELIVERABLE}
        ),
        # Back to queued: the generator took the job from a worker that died.
        RUNNING: frozenset(
            {CAPTIONED, QUEUED, FINISHED, FAILED, REFUSED, CANCELLED, UNDELIVERABLE}
        ),
        # Failed, though there is a picture: Telegram refuses it, or its bytes are gone.
        FINISHED: frozenset({DELIVERED, FAILED, UNDELIVERABLE}),
        # The user cannot be told how it ended: they blocked the bot, or the chat is gone.
        FAILED: frozenset({UNDELIVERABLE}),
        REFUSED: frozenset({UNDELIVERABLE}),
        CANCELLED: frozenset({UNDELIVERABLE}),
        DELIVERED: _NONE,
        UNDELIVERABLE: _NONE,
    }
)
"""Where each state may lead. What is not here is refused."""

WITH_BYTES = frozenset({STORED, FINISHED})
"""Entered together with bytes only: by StorePhoto and by FinalizeGeneration."""

WITH_ERROR = frozenset({FAILED, REFUSED, UNDELIVERABLE})
"""The states that an error explains."""

ENDED = frozenset({DELIVERED, FAILED, REFUSED, CANCELLED, UNDELIVERABLE})
"""No work is left but to tell the user and tidy up; only these may be closed."""


def name(state: db.GenerationState) -> str:
    """The state in a word."""
    return db.GenerationState.Name(state).removeprefix("GENERATION_STATE_").lower()


def is_allowed(source: db.GenerationState, target: db.GenerationState) -> bool:
    """Whether a generation may go from one state to another one."""
    return target in TRANSITIONS[source]


def not_allowed(source: db.GenerationState, target: db.GenerationState) -> ServiceError:
    """The error of a generation that may not go from one state to another one."""
    message = f"A generation that is {name(source)} cannot become {name(target)}."
    return ServiceError(Reason.TRANSITION_NOT_ALLOWED, message)


def check(source: db.GenerationState, target: db.GenerationState) -> None:
    """Makes sure that a generation may go from one state to another one.

    Raises:
        ServiceError: TRANSITION_NOT_ALLOWED.
    """
    if not is_allowed(source, target):
        raise not_allowed(source, target)
