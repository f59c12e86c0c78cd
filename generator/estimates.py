"""When a job will be finished, from what steps took before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from generator.executors.base import ModelInfo
from generator.line import Place

_WEIGHT = 0.3
"""Of the newest measurement in the average."""


@dataclass
class Pace:
    """Seconds a step, an exponentially weighted average for each size."""

    _seconds: dict[tuple[int, int], float] = field(default_factory=dict)

    def measure(self, size: tuple[int, int], seconds: float) -> None:
        """Takes in what one step took."""
        known = self._seconds.get(size, seconds)
        self._seconds[size] = known + _WEIGHT * (seconds - known)

    def seconds(self, size: tuple[int, int], steps: int) -> float | None:
        """What steps of this size will take; None: none was measured yet."""
        known = self._seconds.get(size)
        return None if known is None else known * steps


@dataclass(frozen=True)
class Outlook:
    """What an unfinished job may expect.

    Attributes:
        position: how many jobs are ahead of it, the running one included; 0: it runs, or is next.
        eta_seconds: until it is finished; None: not known, for it or for one ahead of it.
    """

    position: int
    eta_seconds: float | None


def outlooks(
    line: Sequence[Place], model: ModelInfo | None, pace: Pace, steps_done: Callable[[UUID], int]
) -> Mapping[UUID, Outlook]:
    """The outlook of every unfinished job.

    Args:
        line: in the order of computation.
        model: whose own size stands in for a size not given; None: not known yet.
        pace: what was measured.
        steps_done: of a running job.
    """
    found = {}
    eta: float | None = 0.0
    for position, place in enumerate(line):
        own = _seconds(place, model, pace, steps_done)
        eta = None if own is None or eta is None else eta + own
        found[place.id] = Outlook(0 if place.running else position, eta)
    return found


def _seconds(
    place: Place, model: ModelInfo | None, pace: Pace, steps_done: Callable[[UUID], int]
) -> float | None:
    if model is None:
        return None
    steps = place.steps - steps_done(place.id) if place.running else place.steps
    return pace.seconds((place.width or model.width, place.height or model.height), steps)
