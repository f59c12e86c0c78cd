import numpy as np
import pytest

from training.art import FLUENT, NOTO, WHITE, View
from training.captions import Captions, indefinite, on_background
from training.concepts import imagenet, numbers, reviewed

pytestmark = pytest.mark.slow

KEYWORDS = [("meow",) if concept.name == "black cat" else () for concept in reviewed()]


def captions() -> Captions:
    return Captions(reviewed(), KEYWORDS, noto=0.2)


def test_the_same_seed_says_the_same() -> None:
    one = captions()

    said = [[one.draw(np.random.default_rng((1, n))) for n in range(50)] for _ in range(2)]

    assert said[0] == said[1]
    assert len(set(said[0])) > 40


def test_every_concept_label_and_keyword_is_said() -> None:
    one, random = captions(), np.random.default_rng(2)

    said = [one.draw(random) for _ in range(40_000)]

    assert {one.concept for one in said} == set(range(len(reviewed())))
    plainly = {one.text.removeprefix("a photo of ") for one in said}
    assert set(imagenet()) <= plainly
    places = numbers(reviewed())
    assert any("meow" in one.text for one in said if one.concept == places["black cat"])


def test_a_label_stands_for_its_own_concept() -> None:
    one, random = captions(), np.random.default_rng(3)
    places = numbers(reviewed())
    wanted = {f"a photo of {label}": places[name] for label, name in imagenet().items()}

    said = [one.draw(random) for _ in range(5_000)]

    # A concept's own word may say the same as another concept's label: "an orange".
    clear = [(one.concept, one.text) for one in said if one.text in wanted]
    assert np.mean([wanted[text] == concept for concept, text in clear]) > 0.98


def test_noto_is_drawn_when_something_flat_is_asked_for_and_only_then() -> None:
    one, random = captions(), np.random.default_rng(5)

    said = [one.draw(random) for _ in range(5_000)]

    assert {(one.style, "flat" in one.text.split()) for one in said} == {
        (FLUENT, False),
        (NOTO, True),
    }
    assert 0.1 < np.mean([one.style == NOTO for one in said]) < 0.3


@pytest.mark.parametrize(("name", "said"), [("owl", "an owl"), ("cat", "a cat")])
def test_articles(name: str, said: str) -> None:
    assert indefinite(name) == said


def test_only_a_coloured_background_is_named() -> None:
    random = np.random.default_rng(4)
    plain, blue = (
        View(0, FLUENT, mirrored=False, side=64, left=0, top=0, colour=colour)
        for colour in (WHITE, "blue")
    )

    assert on_background("a cat", plain, random) == "a cat"
    assert on_background("a cat", blue, random) in {
        "a cat on a blue background",
        "a cat with a blue background",
    }
