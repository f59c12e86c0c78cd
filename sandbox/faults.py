"""Faults that a test queues for the Bot API. They live in memory: a restart clears them."""

import asyncio
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

DOWNLOAD = "download"
"""The name under which a fault meets the download of a file, which is no method."""


DELIVERY = "delivery"
"""Likewise an update's delivery to the webhook, which can be delayed, or cut after it."""


class FaultOrder(BaseModel):
    """What to do to which calls.

    Attributes:
        kind: `too_many_requests`: refused with 429 and `retry_after`. `http_error`: refused with
            `status`. `refuse`: refused with 400 and `description`. `delay`: performed after
            `seconds`. `cut`: performed, then the connection is cut in the middle of the answer.
            `hold`: performed, then not answered until the fault is released, the client is gone or
            the sandbox stops.
        method: a method's name, `download`, `delivery`, or `*` for all methods.
        count: how many calls it meets.
        chat_id: only calls for this chat.
        contains: only calls with this text in a parameter.
        retry_after: in seconds.
        status: an HTTP status of 401, 404, or of 500 or more.
        description: what Telegram says.
        seconds: how long to wait.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["too_many_requests", "http_error", "refuse", "delay", "cut", "hold"]
    method: Annotated[str, Field(min_length=1, max_length=64)] = "*"
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    chat_id: int | None = None
    contains: Annotated[str, Field(max_length=1000)] | None = None
    retry_after: Annotated[int, Field(ge=1, le=86_400)] | None = None
    status: Annotated[int, Field(ge=401, le=599)] | None = None
    description: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    seconds: Annotated[float, Field(gt=0, le=600)] | None = None

    @model_validator(mode="after")
    def _check_needs(self) -> Self:
        needs = {
            "too_many_requests": "retry_after",
            "http_error": "status",
            "refuse": "description",
            "delay": "seconds",
        }
        for kind, field in needs.items():
            if (self.kind == kind) != (getattr(self, field) is not None):
                raise ValueError(f"{field} belongs to {kind}")
        if self.method == DELIVERY and self.kind not in {"delay", "cut"}:
            raise ValueError("a delivery is delayed or cut")
        return self


class Fault(FaultOrder):
    """An order in the queue.

    Attributes:
        id: its number.
        met: how many calls it met so far.
        holding: how many answers it holds now.
    """

    id: int
    met: int = 0
    holding: int = 0


class Faults:
    """The queue: a call is met by the oldest fault that fits it."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._released: dict[int, asyncio.Event] = {}

    def add(self, order: FaultOrder, fault_id: int) -> Fault:
        """Queues an order under an id that no other one ever had."""
        fault = Fault(**order.model_dump(), id=fault_id)
        self._faults[fault.id] = fault
        self._released[fault.id] = asyncio.Event()
        return fault

    def all(self) -> list[Fault]:
        """All of them, also those that have met all their calls."""
        return list(self._faults.values())

    def end(self, fault_id: int) -> bool:
        """Releases held calls and ends the fault; False if there is none with this id."""
        fault = self._faults.pop(fault_id, None)
        if fault is not None:
            self._released.pop(fault_id).set()
        return fault is not None

    def end_all(self) -> None:
        """Releases and ends all of them."""
        for fault_id in list(self._faults):
            self.end(fault_id)

    def take(self, method: str, values: dict[str, str]) -> Fault | None:
        """The fault that meets this call, counted; None if none does."""
        for fault in self._faults.values():
            if fault.met < fault.count and _fits(fault, method, values):
                fault.met += 1
                return fault
        return None

    def released(self, fault: Fault) -> asyncio.Event:
        """Set once the fault is released."""
        event = self._released.get(fault.id)
        if event is None:  # released between the call's start and its end
            event = asyncio.Event()
            event.set()
        return event


def _fits(fault: Fault, method: str, values: dict[str, str]) -> bool:
    if fault.method == "*":
        if method in {DOWNLOAD, DELIVERY}:
            return False
    elif fault.method.lower() != method.lower():
        return False
    if fault.chat_id is not None and values.get("chat_id") != str(fault.chat_id):
        return False
    return fault.contains is None or any(fault.contains in value for value in values.values())
