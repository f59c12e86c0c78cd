"""What is known of a model: the sizes that it draws well, and the dial."""

import pytest

from generator import models
from generator.models import known
from generator.tasks import ModelInfo

_OF_512 = [
    (512, 512),
    (384, 640),
    (384, 704),
    (448, 576),
    (448, 640),
    (576, 448),
    (640, 384),
    (640, 448),
    (704, 384),
]


def _info(side: int = 512, *, enlarged: bool = False) -> ModelInfo:
    return ModelInfo("some", side, side, sizes=known.sizes(side, side, enlarged=enlarged))


def test_stable_diffusion_draws_well_what_has_its_own_area() -> None:
    assert known.sizes(512, 512, enlarged=False) == tuple(_OF_512)


def test_what_another_model_draws_well_follows_from_its_own_size() -> None:
    sizes = known.sizes(768, 768, enlarged=False)
    assert sizes[0] == (768, 768)
    for width, height in sizes:
        assert width % 64 == height % 64 == 0
        assert max(width, height) <= 1024
        assert 0.9 <= width * height / 768**2 <= 1.1
        assert (height, width) in sizes


def test_a_small_model_draws_its_own_size_and_so_does_one_that_was_made_for_another_shape() -> None:
    assert known.sizes(256, 256, enlarged=True) == ((256, 256),)
    assert known.sizes(768, 512, enlarged=False) == ((768, 512),)


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        ((1, 1), (512, 512)),
        ((3000, 3001), (512, 512)),
        ((3, 4), (448, 576)),
        ((4000, 3000), (576, 448)),
        ((2, 3), (448, 640)),
        ((9, 16), (384, 704)),
        ((1, 10_000), (384, 704)),
        ((40_000_000, 1), (704, 384)),
    ],
)
def test_a_picture_has_the_nearest_of_these_proportions(
    aspect: tuple[int, int], size: tuple[int, int]
) -> None:
    assert _info().size(None, None, aspect) == size


def test_sides_that_were_asked_for_win_and_the_own_size_stands_in() -> None:
    assert _info().size(100, 200, (3, 4)) == (100, 200)
    assert _info().size(100, None, (3, 4)) == (100, 512)
    assert _info().size(None, None, None) == (512, 512)
    assert _info(256, enlarged=True).size(None, None, (9, 16)) == (256, 256)
    assert ModelInfo("unknown", 320, 256).size(None, None, (9, 16)) == (320, 256)


def test_the_dial_rises_from_twin_to_cousin() -> None:
    dial = known.dial(models.find("owner/name"))
    assert dial == {"twin": 0.35, "sibling": 0.55, "cousin": 0.75}
    own = known.dial(models.find("emoji"))
    assert list(own) == list(dial)
    assert 0 < own["twin"] < own["sibling"] < own["cousin"] < 1
