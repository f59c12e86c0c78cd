"""Presets from the request to the task, and the weights that one of them needs."""

from pathlib import Path
from uuid import uuid4

import pytest

from generator.presets import PRESETS
from generator.tasks import ModelInfo
from lookalike.errors import StartError
from tests.generator.scripted import ScriptedExecutor
from tests.generator.stack import XML, Stack, code, job, serving

_ABSENT = "nobody/nothing"
_REASON = f"The preset fast needs the weights {_ABSENT}, which are not on this machine."


def _unloaded() -> ScriptedExecutor:
    """An executor whose model never comes, so that jobs stay in the queue."""
    executor = ScriptedExecutor()
    executor.loadable.clear()
    return executor


async def _task(stack: Stack, body: bytes) -> tuple[str, int, float]:
    await stack.reach(await stack.put(body), "finished")
    task = stack.executor.tasks[-1]
    return task.preset, task.steps, task.guidance_scale


@pytest.mark.parametrize(
    ("preset", "steps", "guidance"),
    [("faithful", 50, 7.5), ("balanced", 20, 7.5), ("quick", 16, 7.5), ("fast", 4, 1.0)],
)
async def test_a_preset_decides_what_a_request_leaves_out(
    stack: Stack, preset: str, steps: int, guidance: float
) -> None:
    stack.executor.go()
    assert await _task(stack, job(preset=preset)) == (preset, steps, guidance)
    assert await _task(stack, job(preset=preset, steps=7)) == (preset, 7, guidance)
    assert await _task(stack, job(preset=preset, guidance=2)) == (preset, steps, 2.0)


async def test_the_service_has_a_preset_of_its_own(tmp_path: Path) -> None:
    async with serving(tmp_path, preset="quick") as stack:
        stack.executor.go()
        assert await _task(stack, job()) == ("quick", 16, 7.5)
        assert await _task(stack, job(preset="balanced")) == ("balanced", 20, 7.5)


async def test_what_was_chosen_is_kept_when_the_service_changes_its_preset(tmp_path: Path) -> None:
    identity = uuid4()
    async with serving(tmp_path, _unloaded()) as stack:
        await stack.put(job("a"), identity)
    async with serving(tmp_path, preset="quick") as stack:
        await stack.put(job("a"), identity)  # the same request is the same job
        stack.executor.go()
        await stack.reach(identity, "finished")
        assert [(task.preset, task.steps) for task in stack.executor.tasks] == [("balanced", 20)]
        conflict = await stack.client.put(
            f"/v1/jobs/{identity}", content=job("a", preset="balanced"), headers=XML
        )
        assert (conflict.status_code, code(conflict)) == (409, "job-conflict")


async def test_a_preset_without_its_weights_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async with serving(tmp_path, lcm_lora=_ABSENT) as stack:
        response = await stack.client.put(
            f"/v1/jobs/{uuid4()}", content=job(preset="fast"), headers=XML
        )
        assert (response.status_code, code(response)) == (422, "preset-unavailable")
        assert _REASON in response.text
        stack.executor.go()
        assert await _task(stack, job()) == ("balanced", 20, 7.5)


async def test_a_known_job_is_told_also_when_its_preset_is_gone(tmp_path: Path) -> None:
    identity = uuid4()
    async with serving(tmp_path) as stack:
        await stack.put(job(preset="fast"), identity)
    async with serving(tmp_path, lcm_lora=_ABSENT) as stack:
        await stack.put(job(preset="fast"), identity)


async def test_what_does_not_fit_the_model_is_refused_once_that_is_known(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.info = ModelInfo("other", 64, 64, {"fast": "They were made for another model."})
    async with serving(tmp_path, executor) as stack:
        await stack.reach(await stack.put(), "running")
        response = await stack.client.put(
            f"/v1/jobs/{uuid4()}", content=job(preset="fast"), headers=XML
        )
        assert (response.status_code, code(response)) == (422, "preset-unavailable")


async def test_a_default_that_does_not_fit_the_model_ends_the_work(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.info = ModelInfo("other", 64, 64, {"fast": "They were made for another model."})
    with pytest.raises(StartError, match=r"^GENERATOR_PRESET cannot be used\. They were made"):
        async with serving(tmp_path, executor, preset="fast") as stack:
            await stack.generator.stop.wait()


def test_there_are_four() -> None:
    assert list(PRESETS) == ["faithful", "balanced", "quick", "fast"]
