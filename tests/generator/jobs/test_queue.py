"""Jobs as callers submit them."""

import asyncio
from uuid import uuid4

import pytest

from generator.jobs.errors import JobConflict
from generator.jobs.messages import JobRequest
from tests.generator.jobs.opening import OpenQueue

pytestmark = pytest.mark.each_database


async def test_the_same_job_put_many_times_at_once_is_one(opened: OpenQueue) -> None:
    identity = uuid4()
    puts = (opened.queue.submit(identity, JobRequest("a")) for _ in range(10))
    seeds = {job.seed for job in await asyncio.gather(*puts)}
    assert len(seeds) == 1


async def test_different_jobs_put_at_once_under_one_id_have_one_winner(opened: OpenQueue) -> None:
    identity = uuid4()
    puts = (opened.queue.submit(identity, JobRequest(str(n))) for n in range(5))
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(isinstance(result, JobConflict) for result in results) == 4
