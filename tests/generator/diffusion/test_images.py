"""Pictures as PNG: read back, every level is what it was."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from generator.diffusion import images
from tests.docs.documents import ROOT

pytestmark = pytest.mark.slow


@given(st.integers(1, 33), st.integers(1, 33), st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_what_is_read_is_what_was_written(height: int, width: int, seed: int, least: int) -> None:
    levels = np.random.default_rng(seed).integers(least, 256, (height, width, 3), dtype=np.uint8)
    file = images.encode(levels)
    Image.open(io.BytesIO(file)).verify()
    with Image.open(io.BytesIO(file)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (width, height))
        assert np.array_equal(np.asarray(image), levels)


def test_levels_may_lie_in_memory_as_they_like() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (3, 20, 30), dtype=np.uint8)
    with Image.open(io.BytesIO(images.encode(levels.transpose(1, 2, 0)))) as image:
        assert np.array_equal(np.asarray(image), levels.transpose(1, 2, 0))


def test_a_photograph_is_hardly_larger_than_pillows() -> None:
    usual = io.BytesIO()
    with Image.open(ROOT / "tests" / "photos" / "palace.jpg") as opened:
        photo = opened.convert("RGB")
    photo.save(usual, "PNG")
    assert len(images.encode(np.asarray(photo))) < 1.1 * len(usual.getvalue())
