"""What the doctor says of a queue that several generators may share."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from pydantic import SecretStr

from generator import doctor
from generator.settings import GeneratorSettings
from lookalike.checks import Mark
from tests.generator.stack import TOKEN, serving

pytestmark = [pytest.mark.each_database, pytest.mark.slow]

Settings: TypeAlias = Callable[[str], GeneratorSettings]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    def of(database_url: str) -> GeneratorSettings:
        return GeneratorSettings(
            lookalike_home=tmp_path,
            service_token=SecretStr(TOKEN),
            generator_database_url=database_url,
        )

    return of


async def test_it_says_how_the_queue_is_and_how_many_work_on_it(
    tmp_path: Path, database_url: str, settings: Settings
) -> None:
    told = settings(database_url)
    async with serving(tmp_path, time_passes=True, database_url=database_url) as stack:
        assert stack.generator.address
        (database,) = await doctor._database(told)
        (generators,) = await doctor._generators(told)
    assert database.mark is Mark.OK
    if database_url.startswith("postgresql:"):
        assert " answers (PostgreSQL " in database.summary
        assert "; services use " in database.summary
    else:
        assert " is whole (" in database.summary
    assert generators.summary == "1 generator works on the queue, or did a minute ago."
    (database,) = await doctor._database(told)
    assert database.mark is Mark.OK
    assert await doctor._generators(told) == []


@pytest.mark.scale
async def test_a_queue_that_is_away_is_told_with_its_setting(settings: Settings) -> None:
    told = settings("postgresql://me:secret-word@127.0.0.1:1/queue")
    (database,) = await doctor._database(told)
    assert (database.mark, database.passes) == (Mark.FAILED, True)
    assert "GENERATOR_DATABASE_URL" in database.remedy
    assert "secret-word" not in database.summary
    assert await doctor._generators(told) == []
