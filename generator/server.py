"""The generator as a service: puts it together and serves it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from generator.app import create_app
from generator.executors.base import Executor
from generator.executors.inprocess import InProcessExecutor, quieten
from generator.leases import JobTable
from generator.models import lora
from generator.results import Results
from generator.sampling.presets import FAST, Presets
from generator.service import Service
from generator.settings import GeneratorSettings
from generator.worker import Worker
from lookalike import database, lifecycle, web
from lookalike.errors import StartError

_MIGRATIONS = Path(__file__).with_name("migrations")

_HOLDER = "inprocess"
"""The worker's name in leases: the only one, as the database is one process's alone."""


@dataclass(frozen=True)
class RunningGenerator:
    """A generator that runs; see `lookalike.lifecycle.Service`."""

    address: str
    stop: asyncio.Event


@asynccontextmanager
async def running(
    settings: GeneratorSettings, *, executor: Executor | None = None
) -> AsyncIterator[RunningGenerator]:
    """Serves and computes while the context lasts.

    Args:
        settings: what it is told.
        executor: computes the jobs; None: the one of the settings.

    Raises:
        StartError: the port, the database, the results folder or the model cannot be used.
    """
    stop = asyncio.Event()
    bound = lifecycle.bind(settings.generator_listen, "GENERATOR_LISTEN")
    engine = database.create_engine(settings.database_url)
    presets, lcm_lora = _presets(settings)
    if executor is None:
        executor = InProcessExecutor(
            settings.generator_model,
            settings.generator_device,
            lcm_lora=lcm_lora,
            previews=settings.generator_previews,
        )
    table = JobTable(
        engine,
        max_queue=settings.generator_max_queue,
        max_attempts=settings.generator_max_attempts,
        presets=presets,
    )
    try:
        database.migrate(engine, _MIGRATIONS)
        results = Results(settings.results)
        worker = Worker(table, results, executor, holder=_HOLDER)
        await worker.recover()
        service = Service(table, results, worker, stop)
        app = create_app(service, settings.bearer_token)
        async with lifecycle.together(
            stop, web.serve(app, bound, stop), worker.work(stop), worker.keep_house(stop)
        ):
            yield RunningGenerator(lifecycle.address_of(bound), stop)
    finally:
        await executor.close()
        await table.close()
        bound.close()


def _presets(settings: GeneratorSettings) -> tuple[Presets, Path | None]:
    """What presets there are, as far as that can be told before the model is loaded.

    Returns:
        The presets; and the weights for the one that needs its own, if they are here.
    """
    quieten()
    lcm_lora = lora.find(settings.generator_lcm_lora)
    presets = Presets(settings.generator_preset)
    if lcm_lora is None:
        words = (
            f"The preset fast needs the weights {settings.generator_lcm_lora}, which are not on"
            " this machine."
        )
        if presets.default == FAST:
            raise StartError(
                f"GENERATOR_PRESET cannot be used. {words} Fetch them: `lookalike download`."
            )
        presets.unavailable[FAST] = words
    return presets, lcm_lora
