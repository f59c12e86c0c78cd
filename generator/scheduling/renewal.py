"""Renews the leases of running jobs."""

import asyncio
from collections.abc import Sequence

from generator.jobs.leases import Leases
from generator.observers import Observer
from generator.scheduling.progress import Progress
from generator.scheduling.watchdog import Watchdog
from lookalike.waiting import any_of

_RETRY_SECONDS = 1.0
"""At most, after a renewal that failed: others wait for it once the database is back."""


async def renew_leases(
    leases: Leases,
    progress: Progress,
    watchdog: Watchdog,
    observers: Sequence[Observer],
    stop: asyncio.Event,
) -> None:
    """Renews leases, and breaks the attempts of those that ran out, until `stop` is set."""
    told = False
    while not stop.is_set():
        at_work = progress.claims if watchdog.hanging is None else []
        seconds = leases.renew_seconds
        try:
            if expired := await leases.renew(at_work, progress.lanes):
                for observer in observers:
                    observer.leases_expired(expired)
            told = False
        except OSError as error:  # once is enough until it works again
            seconds = min(seconds, _RETRY_SECONDS)
            if not told:
                told = True
                for observer in observers:
                    observer.storage_failed("renew leases", error)
        await any_of(stop, seconds=seconds)
