"""Presets from the request to the task, and the weights that one of them needs."""

import sqlite3
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text as sql

from generator.executors.base import ModelInfo
from generator.sampling.presets import PRESETS, Presets
from lookalike import database
from lookalike.errors import StartError
from tests.generator.house import MIGRATIONS, XML, House, code, house, job
from tests.generator.scripted import ScriptedExecutor

_WORDS = "The preset fast needs the weights x, which are not on this machine."


def _unloaded() -> ScriptedExecutor:
    """An executor whose model never comes, so that jobs stay in line."""
    executor = ScriptedExecutor()
    executor.loadable.clear()
    return executor


async def _task(home: House, body: bytes) -> tuple[str, int, float]:
    await home.reach(await home.put(body), "finished")
    task = home.executor.tasks[-1]
    return task.preset, task.steps, task.guidance_scale


@pytest.mark.parametrize(
    ("preset", "steps", "guidance"),
    [("faithful", 50, 7.5), ("balanced", 20, 7.5), ("quick", 16, 7.5), ("fast", 4, 1.0)],
)
async def test_a_preset_decides_what_a_request_leaves_out(
    home: House, preset: str, steps: int, guidance: float
) -> None:
    home.executor.go()
    assert await _task(home, job(preset=preset)) == (preset, steps, guidance)
    assert await _task(home, job(preset=preset, steps=7)) == (preset, 7, guidance)
    assert await _task(home, job(preset=preset, guidance=2)) == (preset, steps, 2.0)


async def test_the_service_has_a_preset_of_its_own(tmp_path: Path) -> None:
    async with house(tmp_path, presets=Presets("quick")) as home:
        home.executor.go()
        assert await _task(home, job()) == ("quick", 16, 7.5)
        assert await _task(home, job(preset="balanced")) == ("balanced", 20, 7.5)


async def test_what_was_chosen_is_kept_when_the_service_changes_its_preset(tmp_path: Path) -> None:
    identity = uuid4()
    async with house(tmp_path, _unloaded()) as home:
        await home.put(job("a"), identity)
    async with house(tmp_path, presets=Presets("quick")) as home:
        await home.put(job("a"), identity)  # the same request is the same job
        home.executor.go()
        await home.reach(identity, "finished")
        assert [(task.preset, task.steps) for task in home.executor.tasks] == [("balanced", 20)]
        conflict = await home.client.put(
            f"/v1/jobs/{identity}", content=job("a", preset="balanced"), headers=XML
        )
        assert (conflict.status_code, code(conflict)) == (409, "job-conflict")


async def test_a_preset_without_its_weights_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async with house(tmp_path, presets=Presets(unavailable={"fast": _WORDS})) as home:
        response = await home.client.put(
            f"/v1/jobs/{uuid4()}", content=job(preset="fast"), headers=XML
        )
        assert (response.status_code, code(response)) == (422, "preset-unavailable")
        assert _WORDS in response.text
        home.executor.go()
        assert await _task(home, job()) == ("balanced", 20, 7.5)


async def test_a_known_job_is_told_also_when_its_preset_is_gone(tmp_path: Path) -> None:
    identity = uuid4()
    async with house(tmp_path) as home:
        await home.put(job(preset="fast"), identity)
    async with house(tmp_path, presets=Presets(unavailable={"fast": _WORDS})) as home:
        await home.put(job(preset="fast"), identity)


async def test_what_does_not_fit_the_model_is_refused_once_that_is_known(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.info = ModelInfo("other", 64, 64, {"fast": "They were made for another model."})
    async with house(tmp_path, executor) as home:
        await home.reach(await home.put(), "running")
        response = await home.client.put(
            f"/v1/jobs/{uuid4()}", content=job(preset="fast"), headers=XML
        )
        assert (response.status_code, code(response)) == (422, "preset-unavailable")


async def test_a_default_that_does_not_fit_the_model_ends_the_work(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.info = ModelInfo("other", 64, 64, {"fast": "They were made for another model."})
    with pytest.raises(StartError, match=r"^GENERATOR_PRESET cannot be used\. They were made"):
        async with house(tmp_path, executor, presets=Presets("fast")) as home:
            await home.working


async def test_jobs_from_before_there_were_presets_were_balanced(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    async with house(tmp_path) as home:
        await home.put(job("old"))
    with sqlite3.connect(path) as connection:  # as the first version left it
        connection.execute("ALTER TABLE jobs DROP COLUMN preset")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    engine = database.create_engine(f"sqlite:///{path}")
    database.migrate(engine, MIGRATIONS)
    with engine.connect() as opened:
        rows = opened.execute(sql("SELECT prompt, preset FROM jobs")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("old", "balanced")]


def test_there_are_four() -> None:
    assert list(PRESETS) == ["faithful", "balanced", "quick", "fast"]
