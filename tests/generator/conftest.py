"""What the generator's tests share."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from generator.jobs.database import MIGRATIONS
from tests import postgresql
from tests.generator.stack import Stack, serving


@pytest.fixture(scope="session")
def template(server: postgresql.Server) -> str:
    """A database with the queue's tables and no jobs, which others begin as."""
    return server.migrated(MIGRATIONS)


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncGenerator[Stack]:
    """The service with a scripted executor."""
    async with serving(tmp_path) as opened:
        yield opened
