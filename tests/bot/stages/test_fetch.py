"""A finished job -> finished."""

from dataclasses import replace
from typing import Any

import pytest

from bot.services import Services
from bot.stages import fetch
from bot.work.item import RetryLater, WorkItem
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import Desk
from tests.generator.scripted import png_of


async def with_finished_job(desk: Desk) -> WorkItem:
    desk.executor.go()
    item = await desk.queued()
    await desk.job_state(item, "finished")
    item.memory.job_seen(item.id, await desk.services.generator.get_job(item.id))
    return item


async def fetch_it(item: WorkItem, services: Services, **other: Any) -> None:
    job = replace(item.memory.jobs[item.id], **other)
    await fetch.run(item, item.parts[0], job, services)


async def test_the_picture_is_kept_byte_for_byte(desk: Desk) -> None:
    item = await with_finished_job(desk)
    await fetch_it(item, desk.services)
    assert item.state == db.GENERATION_STATE_FINISHED
    (task,) = desk.executor.tasks
    kept = await desk.database.get_image(db.GetImageRequest(generation_id=item.id))
    assert kept == png_of(task)
    picture = item.generation.picture
    assert (picture.seed, picture.model) == (task.seed, "scripted")
    assert (picture.image.width, picture.image.height) == (task.width, task.height)


async def test_doing_it_twice_is_as_good_as_once(desk: Desk) -> None:
    item = await with_finished_job(desk)
    again = await desk.lease(item.id)
    await fetch_it(item, desk.services)
    await fetch_it(again, desk.services)
    assert again.state == db.GENERATION_STATE_FINISHED


async def test_a_job_that_was_deleted_meanwhile_is_left_to_the_next_look(desk: Desk) -> None:
    item = await with_finished_job(desk)
    await desk.services.generator.delete(item.id)
    await fetch_it(item, desk.services)
    assert item.state == db.GENERATION_STATE_QUEUED


async def test_a_generator_that_is_away_is_asked_later(desk: Desk) -> None:
    item = await with_finished_job(desk)
    with pytest.raises(RetryLater):
        await fetch_it(item, desk.without_generator())
    assert item.state == db.GENERATION_STATE_QUEUED


async def test_a_picture_that_arrives_damaged_is_asked_for_again(desk: Desk) -> None:
    item = await with_finished_job(desk)
    with pytest.raises(RetryLater):
        await fetch_it(item, desk.services, sha256="0" * 64)
