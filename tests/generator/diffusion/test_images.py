"""Pictures as PNG: read back, every level is what it was."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from generator.diffusion import images, recipes
from generator.tasks import InitImage, Task
from tests.docs.documents import ROOT

pytestmark = pytest.mark.slow


@given(st.integers(1, 33), st.integers(1, 33), st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_what_is_read_is_what_was_written(height: int, width: int, seed: int, least: int) -> None:
    levels = np.random.default_rng(seed).integers(least, 256, (height, width, 3), dtype=np.uint8)
    file = images.encode(levels, "{}")
    Image.open(io.BytesIO(file)).verify()
    with Image.open(io.BytesIO(file)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (width, height))
        assert np.array_equal(np.asarray(image), levels)


def test_levels_may_lie_in_memory_as_they_like() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (3, 20, 30), dtype=np.uint8)
    with Image.open(io.BytesIO(images.encode(levels.transpose(1, 2, 0), ""))) as image:
        assert np.array_equal(np.asarray(image), levels.transpose(1, 2, 0))


def test_a_photograph_is_hardly_larger_than_pillows() -> None:
    usual = io.BytesIO()
    with Image.open(ROOT / "tests" / "photos" / "palace.jpg") as opened:
        photo = opened.convert("RGB")
    photo.save(usual, "PNG")
    assert len(images.encode(np.asarray(photo), "")) < 1.1 * len(usual.getvalue())


_TASK = Task("a cat", "", 448, 576, 20, 7.5, 2**63 - 1)
_RECIPE = {
    "model": "sd",
    "prompt": "a cat",
    "negative_prompt": "",
    "preset": "balanced",
    "width": 448,
    "height": 576,
    "steps": 20,
    "guidance_scale": 7.5,
    "seed": 2**63 - 1,
}


def _read(recipe: str) -> str:
    file = images.encode(np.zeros((2, 2, 3), np.uint8), recipe)
    with Image.open(io.BytesIO(file)) as image:
        image.load()
        assert list(image.info) == ["lookalike"]
        return str(image.info["lookalike"])


def test_a_picture_carries_what_determined_its_pixels() -> None:
    assert json.loads(_read(recipes.write("sd", _TASK))) == _RECIPE
    begun = replace(_TASK, init=InitImage(b"the photo", 0.55))
    assert json.loads(_read(recipes.write("sd", begun))) == {**_RECIPE, "strength": 0.55}


@given(st.text(min_size=1, max_size=1000), st.text(max_size=1000))
def test_whatever_is_asked_for_can_be_read_back_and_is_bounded(
    prompt: str, negative_prompt: str
) -> None:
    task = replace(_TASK, prompt=prompt, negative_prompt=negative_prompt)
    recipe = recipes.write("sd", task)
    assert len(recipe.encode()) <= 6 * 2000 + 300
    found = json.loads(_read(recipe))
    assert (found["prompt"], found["negative_prompt"]) == (prompt, negative_prompt)
    assert recipes.write("sd", task) == recipe
