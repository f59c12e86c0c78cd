import numpy as np
import pytest
import torch

from training.art import FLUENT, NOTO
from training.evaluate import Judge, Score

pytestmark = pytest.mark.slow


def test_the_judge_knows_a_picture_again_when_it_is_a_little_different() -> None:
    random = np.random.default_rng(1)
    arts = [
        random.integers(0, 256, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1) for _ in range(4)
    ]
    darker = [(picture * 0.9).astype(np.uint8) for picture in arts]

    judge = Judge({FLUENT: arts[:2], NOTO: arts[2:]})

    assert judge.ranks(darker[:2], [0, 1]).tolist() == [0, 0]
    assert judge.ranks(darker[2:], [0, 1], NOTO).tolist() == [0, 0]
    assert judge.ranks([arts[0]], [1]).tolist() == [1]
    assert judge.flat([darker[0], darker[3]], [0, 1]) == 0.5


def test_scores() -> None:
    score = Score.of(torch.tensor([0, 0, 4, 5]))

    assert (score.first, score.five) == (0.5, 0.75)
