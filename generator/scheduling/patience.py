"""How long things may take before they count as hanging (docs/decisions/0046-stuck-workers.md)."""

import math

from generator.scheduling.estimates import StepTimes
from generator.tasks import JobShape

_LEAST_SECONDS = 30.0
"""Nothing hangs before that."""

_FACTOR = 10.0
"""So many times what was measured is not slow any more."""

_LOADING_FACTOR = 3.0


class Patience:
    """What is expected of each phase of the work, with much to spare.

    Attributes:
        unmeasured: seconds for what was never measured, and the most for all but loading.
        writing: for a transaction, or a picture to be stored.
        loading: for the model to be loaded.
        measuring: for batches to be measured.
    """

    def __init__(
        self, times: StepTimes, unmeasured_seconds: float, *, elsewhere: bool = False
    ) -> None:
        """What is expected.

        Args:
            times: what was measured.
            unmeasured_seconds: for what was not.
            elsewhere: other processes compute; there are none yet, or no more, for as long as
                nobody starts any.
        """
        self.unmeasured = unmeasured_seconds
        self.writing = min(_LEAST_SECONDS, unmeasured_seconds)
        self.loading = math.inf if elsewhere else _LOADING_FACTOR * unmeasured_seconds
        self.measuring = math.inf if elsewhere else unmeasured_seconds
        self._times = times

    def step(self, shape: JobShape, batch: int) -> float:
        """For a step of so many pictures, and before the first one for their words as well."""
        return self._at_most(self._times.step(shape, batch))

    def ending(self, shape: JobShape, batch: int) -> float:
        """For what comes after the last step: so many pictures are decoded and checked."""
        return self._at_most(self._times.ending(shape, batch))

    def _at_most(self, expected: float | None) -> float:
        if expected is None:
            return self.unmeasured
        return min(self.unmeasured, max(_LEAST_SECONDS, _FACTOR * expected))
