"""What the generator's tests share."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.generator.stack import Stack, serving


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncGenerator[Stack]:
    """The service with a scripted executor."""
    async with serving(tmp_path) as opened:
        yield opened
