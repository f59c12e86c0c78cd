import numpy as np
import pytest

from training.art import WHITE, plain, random_view
from training.captions import Captions, indefinite, on_background
from training.concepts import concepts, imagenet, numbers


def test_the_same_seed_says_the_same() -> None:
    captions = Captions()

    said = [[captions.draw(np.random.default_rng((1, n))) for n in range(50)] for _ in range(2)]

    assert said[0] == said[1]
    assert len(set(said[0])) > 40


def test_every_concept_and_every_label_is_said() -> None:
    captions, random = Captions(), np.random.default_rng(2)

    said = [captions.draw(random) for _ in range(30_000)]

    assert {concept for concept, _ in said} == set(range(len(concepts())))
    plainly = {text.removeprefix("a photo of ") for _, text in said}
    assert set(imagenet()) <= plainly


def test_a_label_stands_for_its_own_concept() -> None:
    captions, random = Captions(), np.random.default_rng(3)
    wanted = {f"a photo of {label}": numbers()[name] for label, name in imagenet().items()}

    said = [captions.draw(random) for _ in range(5_000)]

    # A concept's own word may say the same as another concept's label: "an orange".
    clear = [(concept, text) for concept, text in said if text in wanted]
    assert np.mean([wanted[text] == concept for concept, text in clear]) > 0.98


@pytest.mark.parametrize(("name", "said"), [("owl", "an owl"), ("cat", "a cat")])
def test_articles(name: str, said: str) -> None:
    assert indefinite(name) == said


def test_only_a_coloured_background_is_named() -> None:
    random = np.random.default_rng(4)
    blue = random_view(0, mirrors=False, colours=("blue",), random=random)

    assert plain(0).colour == WHITE
    assert on_background("a cat", plain(0), random) == "a cat"
    assert on_background("a cat", blue, random) in {
        "a cat on a blue background",
        "a cat with a blue background",
    }
