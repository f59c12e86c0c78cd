"""The dial keeps its word, and by what that is judged."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import dial
from benchmarks.likeness import layout_distance
from tests.generator import tiny

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

_FEW = ("chelsea", "coffee", "palace")


def _plain(grey: int) -> Image.Image:
    return Image.new("RGB", (64, 48), (grey, grey, grey))


def test_the_distance_of_layouts_is_that_of_the_descriptor() -> None:
    assert layout_distance(_plain(100), _plain(100)) == 0
    # Of even pictures the first coefficient alone is not 0: 8 times the mean.
    assert layout_distance(_plain(100), _plain(110)) == pytest.approx(80)
    wave = np.outer(np.ones(8), np.cos(np.pi * (2 * np.arange(8) + 1) / 16))
    levels = np.rint(128 + 64 * wave).astype(np.uint8)
    waving = Image.fromarray(np.stack([levels] * 3, axis=-1)).resize((640, 640), 0)
    # Half the energy of 64 cells, in one coefficient.
    assert layout_distance(_plain(128), waving) == pytest.approx(64 * np.sqrt(32), rel=0.01)
    mirrored = waving.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert layout_distance(waving, mirrored) == pytest.approx(2 * 64 * np.sqrt(32), rel=0.01)
    assert layout_distance(waving, waving.transpose(Image.Transpose.ROTATE_90)) > 100


def test_fine_detail_is_no_layout() -> None:
    noise = np.random.default_rng(0).integers(118, 139, (512, 512, 3), dtype=np.uint8)
    assert layout_distance(Image.fromarray(noise), _plain(128)) < 10


@pytest.mark.long
def test_the_nearer_the_dial_the_nearer_the_picture_to_its_photo() -> None:
    photos = {file: words for file, words in dial.PHOTOS.items() if file.stem in _FEW}
    drawn = dial.measure(photos, seeds=[1])
    assert list(drawn) == list(_FEW)
    assert dial.falling(drawn) == (3, 3), drawn
    assert dial.falling({"none": [[3.0, 2.0, 2.0, 1.0], [4.0, 3.0, 2.0, 1.0]]}) == (1, 2)


def test_all_photos_are_here() -> None:
    assert all(Path(file).is_file() for file in dial.PHOTOS)
    assert len({file.stem for file in dial.PHOTOS}) == len(dial.PHOTOS) == 18
