"""Makes tasks of claims: with this model's sizes and numbers, and with what they start from."""

import asyncio
from collections.abc import Sequence

from generator.jobs.errors import Fault
from generator.jobs.tables import Job
from generator.jobs.uploads import Uploads
from generator.scheduling.progress import Attempt, Progress, RunningJob
from generator.scheduling.recording import Recorder
from generator.scheduling.retrying import Retrying
from generator.scheduling.shapes import size_of, strength_of
from generator.scheduling.watchdog import Watchdog
from generator.tasks import InitImage, ModelInfo, Task

_LOST = "The picture to start from is gone; upload it and submit the job again."


class _LostError(Exception):
    """The picture to start from is gone."""


class _StoppedError(Exception):
    """The service stops before the storage has answered."""


class Beginning:
    """What happens to claims before they are computed."""

    def __init__(
        self,
        uploads: Uploads,
        recorder: Recorder,
        retrying: Retrying,
        progress: Progress,
        watchdog: Watchdog,
    ) -> None:
        """Nothing has begun yet.

        Args:
            uploads: the pictures to start from.
            recorder: records what cannot begin.
            retrying: waits for the disk.
            progress: is told of the claims, whose leases are renewed meanwhile.
            watchdog: watches each try to read a picture.
        """
        self._uploads = uploads
        self._recorder = recorder
        self._retrying = retrying
        self._progress = progress
        self._watchdog = watchdog

    async def begin(
        self, claims: Sequence[Job], model: ModelInfo, stop: asyncio.Event
    ) -> Sequence[RunningJob]:
        """Makes a task of each claim; one whose picture to start from is gone has failed.

        Args:
            claims: at least one.
            model: which computes them.
            stop: the service stops: what has not begun is given back unharmed.
        """
        attempts = [Attempt(claim) for claim in claims]
        begun: list[RunningJob] = []
        with self._progress.beginning(claims):
            for number, attempt in enumerate(attempts):
                claim = attempt.claim
                try:
                    init = await self._init_image(claim, model, stop)
                except _LostError:
                    await self._recorder.fail(attempt, Fault.UNKNOWN_IMAGE, _LOST, stop)
                except _StoppedError:
                    for unbegun in (*(job.attempt for job in begun), *attempts[number:]):
                        await self._recorder.release(unbegun, stop)
                    return ()
                else:
                    begun.append(RunningJob(attempt, _task(claim, model, init)))
        return begun

    async def _init_image(
        self, claim: Job, model: ModelInfo, stop: asyncio.Event
    ) -> InitImage | None:
        sha256, strength = claim.init_sha256, strength_of(claim, model)
        if sha256 is None or strength is None:
            return None

        async def read() -> bytes:
            with self._watchdog.watching("reading a picture", self._watchdog.patience.writing):
                try:
                    return await self._uploads.read(sha256)
                except FileNotFoundError:
                    return b""

        image = await self._retrying.write(read, stop)
        if image is None:
            raise _StoppedError
        if not image:
            raise _LostError
        return InitImage(image, strength)


def _task(claim: Job, model: ModelInfo, init: InitImage | None) -> Task:
    width, height = size_of(claim, model)
    return Task(
        prompt=claim.prompt,
        negative_prompt=claim.negative_prompt,
        width=width,
        height=height,
        steps=claim.steps,
        guidance_scale=claim.guidance_scale,
        seed=claim.seed,
        preset=claim.preset,
        init=init,
    )
