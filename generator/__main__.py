"""`python -m generator`."""

import asyncio
import logging
import os
from pathlib import Path

from generator.app import create_app
from generator.executors.inprocess import InProcessExecutor, quieten
from generator.leases import JobTable
from generator.models import lora
from generator.results import Results
from generator.sampling.presets import FAST, Presets
from generator.service import Service
from generator.settings import GeneratorSettings
from generator.worker import Worker
from lookalike import database, web
from lookalike.errors import StartError
from lookalike.lifecycle import bind, run

_MIGRATIONS = Path(__file__).with_name("migrations")

_HOLDER = "inprocess"
"""The worker's name in leases: the only one, as the database is one process's alone."""

_log = logging.getLogger("generator")


async def main(settings: GeneratorSettings, stop: asyncio.Event) -> None:
    """Serves and computes until `stop` is set.

    Raises:
        StartError: the port, the database, the results folder or the model cannot be used.
    """
    bound = bind(settings.generator_listen, "GENERATOR_LISTEN")
    engine = database.create_engine(settings.database_url)
    presets, lcm_lora = _presets(settings)
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
        host, port = bound.getsockname()[:2]
        _log.info("Listening on %s:%d.", f"[{host}]" if ":" in host else host, port)
        tasks = [
            asyncio.create_task(web.serve(app, bound, stop)),
            asyncio.create_task(worker.work(stop)),
            asyncio.create_task(worker.keep_house(stop)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        stop.set()  # one ends: all end, and close what is theirs
        await asyncio.wait(tasks)
        for task in tasks:
            task.result()
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


try:
    run("generator", GeneratorSettings, main)
except SystemExit as end:
    # Here and not with the interpreter: that would wait for a thread which the executor left behind
    # in a load or a step.
    logging.shutdown()
    os._exit(int(end.code or 0))
