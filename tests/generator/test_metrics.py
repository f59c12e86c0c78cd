"""What the generator tells whoever scrapes it."""

from pathlib import Path
from uuid import uuid4

import httpx

from generator.tasks import SafetyRejected
from tests.generator.stack import job, serving
from tests.metrics import scrape


async def test_the_line_and_what_comes_of_it_are_told(tmp_path: Path) -> None:
    async with serving(tmp_path) as stack:
        address = stack.generator.address
        empty = await scrape(address)
        assert empty["lookalike_jobs_queued"] == empty["lookalike_jobs_queued_oldest_seconds"] == 0
        first = await stack.put(job("first", steps=3))
        await stack.reach(first, "running")
        second = await stack.put(job("second", steps=3))
        stack.now[0] += 40
        await stack.put(job("third", steps=3))
        found = await scrape(address)
        assert found["lookalike_jobs_running"] == found["lookalike_jobs_leased"] == 1
        assert found["lookalike_jobs_queued"] == 2
        assert found["lookalike_jobs_queued_oldest_seconds"] == 40
        assert found["lookalike_ready"] == found["lookalike_executor_up"] == 1
        stack.executor.go()
        await stack.reach(second, "finished")
        found = await scrape(address)
        assert found["lookalike_steps_total"] >= 6
        assert found['lookalike_attempt_seconds_count{code="",outcome="finished"}'] >= 2
        assert found["lookalike_batch_size_count"] >= 2
        assert found["lookalike_image_bytes_total"] > 0
        assert found["lookalike_transaction_seconds_count"] > 0
        assert found["lookalike_disk_free_bytes"] > 1_000_000


async def test_what_the_safety_filter_refuses_is_told_apart(tmp_path: Path) -> None:
    async with serving(tmp_path) as stack:
        stack.executor.endings.append(SafetyRejected())
        stack.executor.go()
        await stack.reach(await stack.put(), "refused")
        found = await scrape(stack.generator.address)
    refused = [name for name in found if name.startswith("lookalike_attempt_seconds_count")]
    assert refused == [
        'lookalike_attempt_seconds_count{code="refused-by-safety",outcome="refused"}'
    ]


async def test_a_proxy_in_front_needs_the_token(tmp_path: Path) -> None:
    async with serving(tmp_path) as stack, httpx.AsyncClient(trust_env=False) as client:
        url = f"http://{stack.generator.address}/metrics"
        forwarded = {"X-Forwarded-For": "192.0.2.1"}
        assert (await client.get(url, headers=forwarded)).status_code == 401
        answer = await stack.client.get(f"/v1/jobs/{uuid4()}")
        assert answer.status_code == 404
        authorization = {"Authorization": stack.client.headers["Authorization"]}
        assert (await client.get(url, headers=forwarded | authorization)).status_code == 200
        assert (await client.post(url)).status_code == 405
