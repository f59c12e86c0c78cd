"""A job's trace: from the request over the batch and its steps to the record of what came of it."""

from collections.abc import Generator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from generator.scheduling.spans import BatchSpan
from generator.tasks import BatchTimes, Task, TaskError
from lookalike import tracing
from tests.collector import SENT, Collector, Seen, traced
from tests.generator.ray.proxy import Listener, asking, proxied
from tests.generator.scripted import MODEL, ScriptedExecutor
from tests.generator.stack import XML, Stack, job, serving
from tests.waiting import eventually

WRITTEN = "what somebody wrote"
TASK = Task(WRITTEN, "", 64, 72, 5, 7.5, 1, "balanced", None)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Generator[Collector, None, None]:
    with traced(monkeypatch) as collector:
        yield collector


def sent(number: int) -> str:
    """Another caller's."""
    return f"00-{number:032x}-{number:016x}-01"


async def put(stack: Stack, body: bytes, traceparent: str) -> UUID:
    identity = uuid4()
    headers = XML | {"traceparent": traceparent}
    answer = await stack.client.put(f"/v1/jobs/{identity}", content=body, headers=headers)
    assert answer.status_code == 202
    return identity


def by_name(collector: Collector) -> dict[str, Seen]:
    return {span.name: span for span in collector.spans}


async def test_a_job_is_a_part_of_what_submitted_it(tmp_path: Path, collector: Collector) -> None:
    executor = ScriptedExecutor()
    executor.go()
    async with serving(tmp_path, executor) as stack:
        identity = await put(stack, job(WRITTEN, negative=WRITTEN, owner=WRITTEN, steps=3), SENT)
        await stack.reach(identity, "finished")
    tracing.end(5)
    _, trace, caller, _ = SENT.split("-")
    assert {span.trace for span in collector.spans} == {trace}
    spans = by_name(collector)
    assert spans.keys() == {
        "PUT /v1/jobs/{job_id}",
        "transaction submit",
        "transaction look_up",
        "transaction finish",
        "job",
        "batch",
        "steps",
        "decode",
    }
    request = spans["PUT /v1/jobs/{job_id}"]
    assert (request.parent, request.attributes["http.response.status_code"]) == (caller, 202)
    assert spans["transaction submit"].parent == request.id
    assert spans["job"].parent == spans["transaction submit"].id
    assert spans["transaction finish"].parent == spans["job"].id
    assert spans["job"].attributes["lookalike.job.id"] == str(identity)
    assert spans["job"].attributes["lookalike.attempt"] == 1
    assert spans["job"].attributes["lookalike.outcome"] == "finished"
    assert spans["batch"].parent == spans["job"].id
    assert spans["steps"].parent == spans["decode"].parent == spans["batch"].id
    assert spans["steps"].attributes == {"lookalike.step.first": 1, "lookalike.step.last": 3}
    assert not any(WRITTEN.encode() in body for _, body in collector.bodies)


async def test_a_request_that_brings_no_trace_begins_one_if_it_begins_something(
    tmp_path: Path, collector: Collector
) -> None:
    async with serving(tmp_path) as stack:
        identity = await stack.put()
        stranger = {"Authorization": "Bearer nobody's", "traceparent": SENT}
        await stack.client.get(f"/v1/jobs/{identity}")
        refused = await stack.client.get(f"/v1/jobs/{identity}", headers=stranger)
        assert refused.status_code == 401
        unknown = f"/v1/jobs/{uuid4()}/{WRITTEN.replace(' ', '-')}"
        nowhere = await stack.client.get(unknown, headers={"traceparent": SENT})
        assert nowhere.status_code == 404
        for path in ("/health/live", "/v1/schema.xsd", "/metrics"):
            await stack.client.get(path, headers=stranger)
            await stack.client.post(path, headers=stranger)
    tracing.end(5)
    assert [span.name for span in collector.spans if not span.parent] == ["PUT /v1/jobs/{job_id}"]
    assert [span.attributes for span in collector.named("GET")] == [
        {"http.response.status_code": 404}
    ]


async def test_a_batch_is_a_part_of_its_first_job_and_has_links_to_the_others(
    tmp_path: Path, collector: Collector
) -> None:
    executor = ScriptedExecutor()
    executor.batch_times = BatchTimes({1: 1.0, 2: 1.2, 4: 1.7}, MODEL.width * MODEL.height)
    async with serving(tmp_path, executor) as stack:
        await eventually(lambda: _measured(stack))
        blocker = await stack.put(job("blocker", owner="blocker", steps=99))
        await stack.reach(blocker, "running")
        ids = [await put(stack, job(str(n), seed=n), sent(n)) for n in (1, 2, 3, 4)]
        await stack.client.delete(f"/v1/jobs/{blocker}")
        executor.go()
        for identity in ids:
            await stack.reach(identity, "finished")
    tracing.end(5)
    batch = next(s for s in collector.named("batch") if s.attributes["lookalike.batch.size"] == 4)
    jobs = {str(s.attributes["lookalike.job.id"]): s for s in collector.named("job")}
    first, *others = (jobs[str(identity)] for identity in ids)
    assert (batch.parent, batch.trace) == (first.id, first.trace)
    assert batch.links == [other.id for other in others]
    assert [other.links for other in others] == [[batch.id]] * 3
    callers = [sent(n)[3:35] for n in (1, 2, 3, 4)]
    assert [span.trace for span in (first, *others)] == callers
    ends = [span.trace for span in collector.named("transaction finish")]
    assert [trace for trace in ends if trace in callers] == callers


async def _measured(stack: Stack) -> bool | None:
    return True if stack.generator.times.batch_times.seconds else None


async def test_how_an_attempt_ends_is_told_by_codes(tmp_path: Path, collector: Collector) -> None:
    executor = ScriptedExecutor()
    executor.poison = "poison"
    executor.endings = [TaskError(WRITTEN)]
    executor.go()
    async with serving(tmp_path, executor, max_attempts=2) as stack:
        await stack.reach(await put(stack, job(), sent(1)), "failed")
        await stack.reach(await put(stack, job("poison"), sent(2)), "failed")
    tracing.end(5)
    ends = [
        (span.attributes["lookalike.attempt"], span.attributes["error.type"])
        for span in collector.named("job")
    ]
    assert ends == [(1, "cannot-compute"), (1, "broken"), (2, "broken")]
    assert [span.failed for span in collector.named("batch")] == [False, True, True]
    assert not any(WRITTEN.encode() in body for _, body in collector.bodies)


def test_a_long_computation_is_several_groups_of_steps(collector: Collector) -> None:
    now = [0.0]
    with BatchSpan([tracing.span("job", parent=SENT)], TASK, lambda: now[0]) as batch:
        for step in range(1, 6):
            now[0] += 4
            batch.step(step, 5)
    tracing.end(5)
    groups = [
        (span.attributes["lookalike.step.first"], span.attributes["lookalike.step.last"])
        for span in collector.named("steps")
    ]
    assert groups == [(1, 3), (4, 5)]
    assert len(collector.named("decode")) == 1


async def test_replicas_go_on_with_the_batch(tmp_path: Path, collector: Collector) -> None:
    replica = ScriptedExecutor()
    replica.go()
    async with (
        proxied(replica) as proxy,
        asking(proxy, Listener()) as executor,
        serving(tmp_path, executor) as stack,
    ):
        await stack.reach(await put(stack, job(), SENT), "finished")
    tracing.end(5)
    spans = by_name(collector)
    assert spans["paint"].parent == spans["batch"].id
    assert spans["paint"].trace == SENT[3:35]


async def test_fastapi_tells_nothing_by_itself(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    async with serving(tmp_path) as stack:
        answer: httpx.Response = await stack.client.get("/health/live")
        assert answer.status_code == 200
        await stack.put()
    tracing.end(5)
    assert {span.scope for span in collector.spans} == {"lookalike"}
    assert {path for path, _ in collector.bodies} == {"/v1/traces"}
