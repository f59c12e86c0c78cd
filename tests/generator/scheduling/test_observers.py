"""What the service announces to observers: ids, durations, codes and sizes, no texts."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from generator.observers import (
    AttemptEnded,
    BatchEnded,
    BatchesMeasured,
    BatchStarted,
    Observer,
    StepDone,
)
from generator.tasks import BatchTimes, JobShape, TaskError
from tests.generator.scripted import MODEL, ScriptedExecutor, png_of
from tests.generator.stack import job, serving
from tests.waiting import eventually

_SECRET = "what somebody wrote"
_SHAPE = JobShape(MODEL.width, MODEL.height, "balanced", guided=True)


class _Listener(Observer):
    """Keeps what it hears, by the event's name."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def batch_started(self, event: BatchStarted) -> None:
        self.heard.append(("batch_started", event))

    def step_done(self, event: StepDone) -> None:
        self.heard.append(("step_done", event))

    def batch_ended(self, event: BatchEnded) -> None:
        self.heard.append(("batch_ended", event))

    def attempt_ended(self, event: AttemptEnded) -> None:
        self.heard.append(("attempt_ended", event))

    def batches_measured(self, event: BatchesMeasured) -> None:
        self.heard.append(("batches_measured", event))

    def batch_broken(self, job_ids: Sequence[UUID], error: Exception) -> None:
        self.heard.append(("batch_broken", (job_ids, error)))

    def jobs_expired(self, count: int) -> None:
        self.heard.append(("jobs_expired", count))

    def of(self, name: str) -> list[Any]:
        return [event for kind, event in self.heard if kind == name]


async def test_a_job_is_announced_from_its_claim_to_its_end(tmp_path: Path) -> None:
    executor, listener = ScriptedExecutor(), _Listener()
    executor.batch_times = BatchTimes({1: 2.0})
    async with serving(tmp_path, executor, observers=[listener]) as stack:
        await eventually(lambda: _measured(listener))
        executor.go()
        identity = await stack.put(job(_SECRET, negative=_SECRET, steps=3))
        await stack.reach(identity, "finished")
        stack.now[0] += 8 * 24 * 3600
        await eventually(lambda: _expired(listener))
    names = [name for name, _ in listener.heard]
    assert names == [
        "batches_measured",
        "batch_started",
        *["step_done"] * 3,
        "batch_ended",
        "attempt_ended",
        "jobs_expired",
    ]
    (measured,) = listener.of("batches_measured")
    assert measured.times.seconds == {1: 2.0}
    (started,) = listener.of("batch_started")
    assert dataclasses.asdict(started) == {
        "job_ids": [identity],
        "attempts": [1],
        "shape": dataclasses.asdict(_SHAPE),
        "steps": 3,
        "behind": 0,
    }
    steps = listener.of("step_done")
    assert [(step.job_id, step.step, step.steps, step.batch_size) for step in steps] == [
        (identity, number, 3, 1) for number in (1, 2, 3)
    ]
    assert steps[0].step_seconds is None  # what comes before the first step is not a step's
    assert all(step.step_seconds >= 0 for step in steps[1:])
    (ended,) = listener.of("batch_ended")
    assert ended.seconds >= ended.picture_seconds >= 0
    (attempt,) = listener.of("attempt_ended")
    size = len(png_of(executor.tasks[0]))
    assert (attempt.job_id, attempt.attempt, attempt.outcome) == (identity, 1, "finished")
    assert (attempt.code, attempt.image_bytes) == ("", size)
    assert listener.of("jobs_expired") == [1]
    assert _SECRET not in repr(listener.heard)


@pytest.mark.parametrize(
    ("ending", "outcomes"),
    [
        (TaskError("no"), [("failed", "cannot-compute")]),
        (RuntimeError("broken"), [("broken", ""), ("finished", "")]),
    ],
)
async def test_how_each_attempt_ended_is_announced(
    tmp_path: Path, ending: Exception, outcomes: list[tuple[str, str]]
) -> None:
    executor, listener = ScriptedExecutor(), _Listener()
    executor.endings.append(ending)
    executor.go()
    async with serving(tmp_path, executor, observers=[listener]) as stack:
        identity = await stack.put()
        await stack.reach(identity, "finished" if len(outcomes) > 1 else "failed")
    attempts = listener.of("attempt_ended")
    assert [(event.outcome, event.code) for event in attempts] == outcomes
    assert [event.attempt for event in attempts] == list(range(1, len(outcomes) + 1))
    broken = [job_ids for job_ids, _ in listener.of("batch_broken")]
    assert broken == [[identity]] * (len(outcomes) - 1)


async def test_a_lost_claim_and_a_released_one_are_told_apart(tmp_path: Path) -> None:
    executor, listener = ScriptedExecutor(), _Listener()
    async with serving(tmp_path, executor, observers=[listener]) as stack:
        cancelled = await stack.put()
        await stack.reach(cancelled, "running")
        await stack.client.delete(f"/v1/jobs/{cancelled}")
        released = await stack.put()
        await stack.reach(released, "running")
        await stack.stop(released)
    attempts = listener.of("attempt_ended")
    assert [(event.job_id, event.outcome) for event in attempts] == [
        (cancelled, "lost"),
        (released, "released"),
    ]


async def _measured(listener: _Listener) -> bool | None:
    return True if listener.of("batches_measured") else None


async def _expired(listener: _Listener) -> bool | None:
    return True if listener.of("jobs_expired") else None
