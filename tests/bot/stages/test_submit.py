"""captioned -> queued."""

from pathlib import Path
from uuid import uuid4

import pytest

from bot.health import Health
from bot.recipes.styles import STYLES
from bot.stages import caption, submit
from bot.work.room import NoRoom
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import CAPTION, Desk, open_desk


async def test_the_job_is_what_the_row_says(desk: Desk) -> None:
    parameters = db.Parameters(seed=2**40 + 1, steps=3, guidance_scale=7.25, width=64, height=72)
    item = await desk.captioned(parameters=parameters)
    await submit.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_QUEUED
    assert item.memory.jobs[item.id].state in {"queued", "running"}
    desk.executor.go()
    await desk.job_state(item, "finished")
    (task,) = desk.executor.tasks
    assert (task.prompt, task.seed, task.steps) == ("a cat on a sofa", 2**40 + 1, 3)
    assert (task.guidance_scale, task.width, task.height) == (7.25, 64, 72)


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ("in the snow", "{words}, {caption}, {style}"),
        ("in the snow " * 16 + "there", "{words}, {style}, {caption}"),
    ],
)
async def test_a_style_comes_last_unless_it_might_not_be_read(
    desk: Desk, words: str, order: str
) -> None:
    item = await desk.stored(user_text=words, recipe=db.Recipe(style="ink"))
    await caption.run(item, desk.services)
    await submit.run(item, desk.services)
    desk.executor.go()
    await desk.job_state(item, "finished")
    (task,) = desk.executor.tasks
    style = STYLES["ink"]
    expected = order.format(words=words, caption=CAPTION.text, style=style.words)
    assert (task.prompt, task.negative_prompt) == (expected, style.avoid)


async def test_doing_it_twice_is_one_job(desk: Desk) -> None:
    item = await desk.captioned()
    again = await desk.lease(item.id)
    await submit.run(item, desk.services)
    await submit.run(again, desk.services)
    assert again.state == db.GENERATION_STATE_QUEUED
    desk.executor.go()
    await desk.job_state(item, "finished")
    assert len(desk.executor.tasks) == 1


async def test_a_full_queue_is_waited_for(tmp_path: Path) -> None:
    async with open_desk(tmp_path, generator_max_queue=1) as desk:
        item = await desk.captioned()
        other = str(uuid4())
        await desk.services.generator.submit(other, item.generation.parameters, "another")
        with pytest.raises(NoRoom) as raised:
            await submit.run(item, desk.services)
        assert raised.value.code == "generator-busy"
        assert desk.services.generator_health.code == Health.OK


async def test_a_generator_that_is_away_is_waited_for(desk: Desk) -> None:
    item = await desk.captioned()
    with pytest.raises(NoRoom) as raised:
        await submit.run(item, desk.without_generator())
    assert raised.value.code == "generator-unavailable"
    assert desk.services.generator_health.code == Health.UNAVAILABLE
    assert item.state == db.GENERATION_STATE_CAPTIONED


async def test_a_request_that_is_not_taken_fails(desk: Desk) -> None:
    item = await desk.captioned(parameters=db.Parameters(preset="no-such-preset"))
    await submit.run(item, desk.services)
    assert item.generation.error.code == "job-rejected"
    assert "invalid-document" in item.generation.error.message
