"""What the tests of the job queue share."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.generator.jobs.opening import OpenQueue, open_queue


@pytest.fixture
async def opened(tmp_path: Path, database_url: str) -> AsyncGenerator[OpenQueue]:
    async with open_queue(tmp_path, database_url) as found:
        yield found
