"""The generator as a service: puts it together and serves it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from generator.executors import chosen
from generator.executors.base import Executor
from generator.images import Images
from generator.jobs.database import JobDatabase
from generator.jobs.defaults import OfferedPresets
from generator.jobs.following import Follower
from generator.jobs.leases import Leases
from generator.jobs.maintenance import Maintenance
from generator.jobs.queue import JobQueue
from generator.jobs.results import Results
from generator.jobs.uploads import Uploads
from generator.metrics import MetricsObserver, exposed
from generator.observers import LogObserver, Observer
from generator.scheduling.beginning import Beginning
from generator.scheduling.calibration import Calibration
from generator.scheduling.estimates import StepTimes
from generator.scheduling.patience import Patience
from generator.scheduling.progress import Progress
from generator.scheduling.recording import Recorder
from generator.scheduling.renewal import renew_leases
from generator.scheduling.retrying import Retrying
from generator.scheduling.running import BatchRunner
from generator.scheduling.sharing import share_progress
from generator.scheduling.watchdog import Watchdog
from generator.scheduling.worker import Worker
from generator.service import Service
from generator.settings import GeneratorSettings
from generator.synchronous import SynchronousCalls
from generator.web.routes import Parts, create_app
from lookalike import lifecycle, places, web
from lookalike.blobs import Blobs
from lookalike.errors import StartError
from lookalike.metrics import Metrics, decoders_killed, transaction_seconds
from lookalike.places import Place
from lookalike.settings import folder_of
from lookalike.sqlite import path_of
from lookalike.storage import open_blobs


@dataclass(frozen=True)
class Timing:
    """How long things may take, and what time it is.

    Attributes:
        lease_seconds: how long a claim holds without renewal.
        stale_seconds: what was never measured hangs after that.
        pause_seconds: between two attempts to write when the disk fails.
        maintain_seconds: between two runs of maintenance.
        clock: seconds since 1970; None: the database's, see `generator.jobs.clock`.
    """

    lease_seconds: float = 60.0
    stale_seconds: float = 600.0
    pause_seconds: float = 5.0
    maintain_seconds: float = 15.0
    clock: Callable[[], float] | None = None


@dataclass(frozen=True)
class RunningGenerator:
    """A generator that runs; see `lookalike.lifecycle.Service`.

    Attributes:
        address: where it listens, `host:port`.
        stop: set when it stops.
        database: its jobs.
        queue: the same, as callers use them.
        leases: the same, as its worker uses them.
        blobs: where pictures are stored.
        uploads: the pictures that jobs start from.
        service: what answers requests.
        progress: of the computation.
        watchdog: knows whether something hangs.
        times: what steps take.
    """

    address: str
    stop: asyncio.Event
    database: JobDatabase
    queue: JobQueue
    leases: Leases
    blobs: Blobs
    uploads: Uploads
    service: Service
    progress: Progress
    watchdog: Watchdog
    times: StepTimes


@asynccontextmanager
async def running(
    settings: GeneratorSettings,
    *,
    executor: Executor | None = None,
    timing: Timing | None = None,
    observers: Sequence[Observer] = (LogObserver(),),
) -> AsyncIterator[RunningGenerator]:
    """Serves and computes while the context lasts.

    Args:
        settings: what it is told.
        executor: computes the jobs; None: the one of the settings.
        timing: None: the usual one.
        observers: are told what happens.

    Raises:
        StartError: the port, the database, the store of the pictures or the model cannot be used.
    """
    timing = timing or Timing()
    stop = asyncio.Event()
    times, progress = StepTimes(), Progress()
    metrics = Metrics()
    observers = (times, MetricsObserver(metrics.registry), *observers)
    async with AsyncExitStack() as stack:
        bound = lifecycle.bind(settings.generator_listen, "GENERATOR_LISTEN")
        stack.callback(bound.close)
        home = settings.lookalike_home.absolute()
        place = await asyncio.to_thread(places.take, home, "generator")
        stack.callback(place.close)
        timed = transaction_seconds(metrics.registry)
        database = JobDatabase(settings.database_url, timing.clock, timed)
        stack.push_async_callback(database.close)
        presets = _presets(settings)
        executor = executor or chosen.executor(settings, observers)
        stack.push_async_callback(executor.close)
        patience = Patience(times, timing.stale_seconds, elsewhere=executor.elsewhere)
        watchdog = Watchdog(patience, database, observers)
        blobs = await open_blobs(settings.results, settings)
        results = Results(blobs, observers)
        queue = JobQueue(database, presets, settings.generator_max_queue)
        leases = Leases(
            database,
            place.holder,
            settings.generator_max_attempts,
            lease_seconds=timing.lease_seconds,
        )
        fence = await _recover(leases, place)
        stack.push_async_callback(_leave, leases)
        uploads = Uploads(database, results, observers, fence=fence)
        maintenance = Maintenance(database, results, uploads, observers)
        await _sweep(maintenance)
        follower = Follower(database, observers)
        await follower.look()  # what was before is nobody's news
        retrying = Retrying(progress, observers, timing.pause_seconds)
        recorder = Recorder(leases, results, retrying, watchdog, observers)
        beginning = Beginning(uploads, recorder, retrying, progress, watchdog)
        runner = BatchRunner(executor, leases, beginning, recorder, progress, watchdog, observers)
        # Where a job has a single attempt, one that breaks would take its neighbours down for good.
        batching = settings.generator_max_attempts > 1
        calibration = Calibration(executor, watchdog, observers, wanted=batching)
        worker = Worker(executor, leases, runner, calibration, retrying, progress, watchdog)
        service = Service(queue, results, progress, times, observers)
        calls = SynchronousCalls(service, queue, place.holder, stop, observers)
        images = Images(uploads, service, decoders_killed(metrics.registry))
        stack.push_async_callback(images.close)
        # What is too large for memory is on the disk where pictures go, if they go to one.
        folder = folder_of(settings.results) or home
        parts = Parts(service, calls, images, folder, progress, watchdog)
        scraped = exposed(metrics, settings.bearer_token, queue, progress, _folders(settings))
        app = create_app(parts, settings.bearer_token, [scraped])
        async with lifecycle.together(
            stop,
            web.serve(app, bound, stop),
            worker.work(presets, stop),
            watchdog.run(stop),
            renew_leases(leases, progress, watchdog, observers, stop),
            share_progress(leases, progress, observers, stop),
            follower.follow(stop),
            follower.listen(stop),
            maintenance.maintain(stop, timing.maintain_seconds),
        ):
            yield RunningGenerator(
                address=lifecycle.address_of(bound),
                stop=stop,
                database=database,
                queue=queue,
                leases=leases,
                blobs=blobs,
                uploads=uploads,
                service=service,
                progress=progress,
                watchdog=watchdog,
                times=times,
            )


async def _recover(leases: Leases, place: Place) -> int:
    """Frees what was held by whoever died here; gives the fence of whoever begins now."""
    try:
        fence = await leases.recover(*([] if place.before is None else [place.before]))
        await asyncio.to_thread(place.sign)
    except OSError as error:
        raise StartError(f"The job queue cannot be used: {error}.") from None
    return fence


async def _sweep(maintenance: Maintenance) -> None:
    """Deletes what a crash left behind, before anything else begins."""
    try:
        await maintenance.sweep()
    except OSError as error:
        raise StartError(f"The job queue cannot be used: {error}.") from None


async def _leave(leases: Leases) -> None:
    """If the disk does not take it, the next start, or the end of the leases, does as much."""
    with contextlib.suppress(OSError):
        await leases.leave()


def _folders(settings: GeneratorSettings) -> Sequence[Path]:
    """Where rows and pictures are, unless a server or a bucket has them."""
    pictures, rows = folder_of(settings.results), settings.database_url
    of_rows = path_of(rows).parent if rows.startswith("sqlite:") else None
    return [folder for folder in (pictures, of_rows) if folder is not None]


def _presets(settings: GeneratorSettings) -> OfferedPresets:
    """What presets there are, as far as that can be told before the model is loaded."""
    presets = OfferedPresets(settings.generator_preset)
    if settings.generator_executor == "inprocess":
        missing = chosen.unavailable(settings)
        if presets.default in missing:
            raise StartError(
                f"GENERATOR_PRESET cannot be used. {missing[presets.default]} Fetch them:"
                " `lookalike download`."
            )
        presets.unavailable.update(missing)
    return presets
