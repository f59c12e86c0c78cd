"""What the worker asks of an executor."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from generator.tasks import BatchTimes, CancelToken, ModelInfo, OnStep, Outcome, Task


class Executor(Protocol):
    """Computes batches of tasks, off the event loop.

    It gets plain data and tokens, so it may as well compute on another machine.
    """

    @property
    def elsewhere(self) -> bool:
        """Whether it computes in other processes: a new one here mends nothing that hangs there."""

    @property
    def lanes(self) -> int:
        """How many batches it computes at once."""

    @property
    def capacity(self) -> int:
        """How many batches it takes, with those that wait for their turn; 0: none just now.

        It is looked at before each claim.

        Raises:
            StartError: it cannot go on with the model that was loaded.
        """

    @property
    def changed(self) -> asyncio.Event:
        """Is set when `capacity` changes next."""

    async def load(self) -> ModelInfo:
        """Loads the model, or waits for one elsewhere; called once, before anything else.

        Raises:
            StartError: the model is missing or unusable.
        """

    async def measure(self, sizes: Sequence[int], token: CancelToken) -> BatchTimes | None:
        """Finds out which batches pay, at the model's own size.

        Args:
            sizes: of batches, ascending, beginning with 1.
            token: cancel it to have the measurement end within one step.

        Returns:
            None: cancelled.

        Raises:
            NotTaken: it cannot be measured just now.
            ComputerLost: likewise.
        """

    async def free_memory(self) -> int:
        """Bytes that are free where it will compute; asked while it takes another batch."""

    async def run(
        self, tasks: Sequence[Task], on_step: OnStep, tokens: Sequence[CancelToken]
    ) -> Sequence[Outcome]:
        """Computes pictures together.

        Args:
            tasks: at least one, alike in size, preset, steps, guidance and computed steps; prompts,
                seeds and init images may differ, and some may have none.
            on_step: called on the event loop. An executor elsewhere tells of step 0 when it begins.
            tokens: one for each task; cancel it to have the task end within one step.

        Returns:
            How each task ended.

        Raises:
            NotTaken: it has not begun, and will not.
            ComputerLost: it broke off.
        """

    async def close(self) -> None:
        """Lets go of the model, and waits until nothing runs any more, but not for long.

        What still runs then is left to the end of the process.
        """
