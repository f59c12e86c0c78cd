"""Deletes what nobody needs: what a forgotten user left, what is too old, what no row names.

That includes the copy from before an upgrade, which still has whoever was forgotten since.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from dbservice.errors import as_service_error
from dbservice.observers import Observer, RetentionDone, SweepDone
from dbservice.rows import Rows
from dbservice.store import Store
from dbservice.transactions import (
    cancellations,
    claims,
    deletions,
    exports,
    quotas,
    retention,
)
from lookalike.blobs import Blobs
from lookalike.waiting import any_of

_PERIOD = 3600.0  # seconds

_ORPHAN_SECONDS = 3600.0
"""Bytes are stored before the row names them, moments later; older ones are left by a crash."""

_BATCH = 500  # keys in a transaction

_UPTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the former is Linux's


def uptime() -> timedelta:
    """How long the machine runs; nobody can set it, and it goes on while the machine sleeps."""
    return timedelta(seconds=time.clock_gettime(_UPTIME))


async def maintain(
    store: Store,
    blobs: Blobs,
    observers: Sequence[Observer],
    stop: asyncio.Event,
    keep: timedelta | None,
    rows: Rows,
) -> None:
    """Deletes what is to be deleted, at once and then every hour, until `stop` is set.

    Args:
        store: the rows.
        blobs: the bytes.
        observers: are told of it.
        stop: ends it.
        keep: how long what is closed is kept; None: for ever.
        rows: where the database is.
    """
    last: retention.Look | None = None
    looked = uptime()
    while not stop.is_set():
        try:
            await delete_pending(store, blobs)
            await store.transact(exports.remove_old)
            await store.transact(cancellations.remove_old)
            await store.transact(claims.remove_old)
            since, looked = looked, uptime()
            last = await store.transact(retention.look, last, looked - since)
            await rows.maintain(certain=last.certain)
            if keep is not None:
                await _remove_old(store, blobs, observers, stop, keep, certain=last.certain)
            await store.transact(quotas.drop_ended)
            await _sweep(store, blobs, observers, stop)
        except Exception as error:  # noqa: BLE001, the calls are served on, whatever is wrong here
            told = as_service_error(error)
            for observer in observers:
                observer.maintenance_failed(told)
        await any_of(stop, seconds=_PERIOD)


async def delete_pending(store: Store, blobs: Blobs) -> None:
    """Deletes the bytes that were noted when their rows were deleted.

    Raises:
        OSError: the disk or the database is away; what was not deleted is still noted.
    """
    if keys := await store.transact(deletions.pending):
        await blobs.delete(keys)
        await store.transact(deletions.done, keys)


async def _remove_old(
    store: Store,
    blobs: Blobs,
    observers: Sequence[Observer],
    stop: asyncio.Event,
    keep: timedelta,
    *,
    certain: bool,
) -> None:
    """Deletes what was closed longer ago, a little at a time, if the clock is to be believed."""
    photos = generations = 0
    last: int | None = 0 if certain else None
    while last is not None and not stop.is_set():
        removed = await store.transact(retention.remove, keep, last)
        await delete_pending(store, blobs)
        photos += removed.photos
        generations += removed.generations
        last = removed.last
    for observer in observers:
        observer.retention_done(RetentionDone(certain, photos, generations))


async def _sweep(
    store: Store, blobs: Blobs, observers: Sequence[Observer], stop: asyncio.Event
) -> None:
    """Deletes what a crash has left between the storing of bytes and the row that names them.

    That is little. If more bytes are unknown than known, these are another database's, by a wrong
    setting or since the rows are restored last, and all stay.
    """
    began = time.perf_counter()
    await blobs.tidy()
    named = 0
    unnamed: list[str] = []
    async for keys in _batches(blobs.list(_ORPHAN_SECONDS)):
        if stop.is_set():
            return
        known = await store.transact(deletions.named, keys)
        named += len(known)
        unnamed += (key for key in keys if key not in known)
    plausible = len(unnamed) <= named
    if unnamed and plausible:
        await blobs.delete(unnamed)
    done = SweepDone(time.perf_counter() - began, named, len(unnamed), plausible)
    for observer in observers:
        observer.sweep_done(done)


async def _batches(keys: AsyncIterator[str]) -> AsyncIterator[Sequence[str]]:
    batch: list[str] = []
    async for key in keys:
        batch.append(key)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
