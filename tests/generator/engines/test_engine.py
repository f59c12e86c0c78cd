"""A model that is not small, made fast, draws the pictures that it drew before."""

import gc
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from generator.diffusion.options import Options
from generator.diffusion.pipeline import Pipeline
from generator.engines import winograd
from generator.engines.layers import PackedConv2d, PackedLinear
from generator.models import loading
from generator.presets import BALANCED, QUICK
from generator.tasks import Task
from tests.generator import tiny
from tests.generator.drawing import draw, draw_all, load, pixels, shown

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

_TOLERANCE = {"avx512_f": 2, "avx512_bf16": 25}
"""Of 255 levels, by the precision that the processor is said to have."""


def _task(preset: str = BALANCED, seed: int = 1, width: int = 128) -> Task:
    return Task(
        prompt="a cat lying on a sofa",
        negative_prompt="",
        width=width,
        height=64,
        steps=3,
        guidance_scale=3,
        seed=seed,
        preset=preset,
    )


@pytest.fixture(params=["avx512_f", "avx512_bf16"])
def capability(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the processor says it can do; it is the slower one that emulates the other."""
    named: str = request.param
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {named: True})
    monkeypatch.setattr(winograd, "_LEAST", 0)
    return named


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return tiny.save(tmp_path / "tiny")


@pytest.fixture
def plain(folder: Path) -> Pipeline:
    """The model as a small one, which nothing is done to."""
    return load(folder)


@pytest.fixture
def fast(
    folder: Path, capability: str, plain: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> Pipeline:
    assert plain._pipe.unet.dtype == torch.float32
    monkeypatch.setattr(loading, "_SMALL", 0)
    loaded = load(folder, Options("cpu"))
    half = capability == "avx512_bf16"
    assert loaded._pipe.unet.dtype == (torch.bfloat16 if half else torch.float32)
    return loaded


@pytest.mark.long
@pytest.mark.parametrize("preset", [BALANCED, QUICK])
@pytest.mark.parametrize("width", [48, 64, 128, 200])
def test_pictures_are_what_they_were(
    preset: str, width: int, plain: Pipeline, fast: Pipeline, capability: str
) -> None:
    task = _task(preset, width=width)
    difference = np.abs(pixels(draw(fast, task)) - pixels(draw(plain, task))).max()
    assert difference <= _TOLERANCE[capability]


@pytest.mark.long
def test_weights_are_packed_once_and_serve_all_sizes_without_a_second_copy(
    fast: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise AssertionError("packed again")

    draw(fast, _task(width=64))
    for layer in (PackedConv2d, PackedLinear):
        monkeypatch.setattr(layer, "__init__", refuse)
    before = _live_bytes()
    for width in (48, 128, 72):
        draw(fast, _task(width=width))
    assert _live_bytes() == before
    assert before > sum(part.numel() for part in fast._pipe.text_encoder.parameters())


def _live_bytes() -> int:
    """Of all tensors that anybody holds, packed ones among them."""
    gc.collect()
    tensors = [held for held in gc.get_objects() if type(held) in (torch.Tensor, nn.Parameter)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


@pytest.mark.long
def test_the_same_request_gives_the_same_bytes(fast: Pipeline) -> None:
    first, other, again = (draw(fast, _task(seed=seed)) for seed in (1, 2, 1))
    assert first == again
    assert shown(first) != shown(other)


@pytest.mark.long
def test_pictures_are_drawn_together(fast: Pipeline, capability: str) -> None:
    tasks = [_task(seed=seed) for seed in (1, 2)]
    together = draw_all(fast, tasks)
    for task, picture in zip(tasks, together, strict=True):
        difference = np.abs(pixels(picture) - pixels(draw(fast, task))).max()
        assert difference <= _TOLERANCE[capability]
