"""What the generator's tests share."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.generator.house import House, house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    """The service with a scripted executor."""
    async with house(tmp_path) as opened:
        yield opened
