"""The weights of LCM-LoRA: found, refused, fused; and pictures by them."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from generator.diffusion.options import Options
from generator.diffusion.pipeline import Pipeline
from generator.models import loading, lora
from generator.tasks import CancelToken, Picture, Task
from lookalike.errors import StartError
from tests.generator import tiny
from tests.generator.drawing import TOLERANCE, draw, draw_all, load, pixels, shown

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

TASK = Task("a cat", "", tiny.SIDE, tiny.SIDE, 4, 1.0, 1, "fast")
RANK = 2


def layers(unet: Any) -> dict[str, Any]:
    """What LCM-LoRA changes: attention, feed-forward, and the convolutions of ResNets."""
    return {
        name: module
        for name, module in unet.named_modules()
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d) and "block" in name
    }


def save_lora(path: Path, unet: Any, strength: float = 1.0) -> dict[str, torch.Tensor]:
    """Weights under the names of the published file."""
    generator = torch.Generator().manual_seed(3)
    tensors = {}
    for name, module in layers(unet).items():
        stem = f"lora_unet_{name.replace('.', '_')}"
        out, inner, *kernel = module.weight.shape
        down = torch.randn((RANK, inner, *kernel), generator=generator) * 0.1
        up = torch.randn((out, RANK, *(1 for _ in kernel)), generator=generator) * 0.1
        tensors[f"{stem}.lora_down.weight"] = down * strength
        tensors[f"{stem}.lora_up.weight"] = up
        tensors[f"{stem}.alpha"] = torch.tensor(8.0)
    save_file(tensors, path)
    return tensors


@pytest.fixture
def unet() -> Any:
    return tiny.build().unet


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny.save(tmp_path / "tiny")


@pytest.fixture
def weights(tmp_path: Path, unet: Any) -> Path:
    save_lora(tmp_path / "lora.safetensors", unet)
    return tmp_path / "lora.safetensors"


@pytest.fixture
def loaded(model: Path, weights: Path) -> Pipeline:
    return load(model, Options("cpu", lcm_lora=weights))


def test_a_layer_computes_as_if_the_lora_stood_beside_it(tmp_path: Path, unet: Any) -> None:
    tensors = save_lora(tmp_path / "lora.safetensors", unet)
    changed = tiny.build().unet
    assert lora.fits(tmp_path / "lora.safetensors", changed)
    lora.fuse(tmp_path / "lora.safetensors", changed)
    after = layers(changed)
    for name, module in layers(unet).items():
        stem = f"lora_unet_{name.replace('.', '_')}"
        down, up = (tensors[f"{stem}.lora_{side}.weight"] for side in ("down", "up"))
        if isinstance(module, torch.nn.Linear):
            inputs = torch.randn(3, module.in_features)
            beside = torch.nn.functional.linear(torch.nn.functional.linear(inputs, down), up)
        else:
            inputs = torch.randn(3, module.in_channels, 8, 8)
            inner = torch.nn.functional.conv2d(
                inputs, down, stride=module.stride, padding=module.padding
            )
            beside = torch.nn.functional.conv2d(inner, up)
        expected = module(inputs) + 8.0 / RANK * beside
        assert torch.allclose(after[name](inputs), expected, atol=1e-4), name


def test_it_is_found_as_a_file_a_folder_or_in_the_hubs_cache(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lora.find(str(weights)) == weights
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(StartError, match="GENERATOR_LCM_LORA"):
        lora.find(str(folder))
    published = Path(shutil.copy(weights, folder / "pytorch_lora_weights.safetensors"))
    assert lora.find(str(folder)) == published
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    assert lora.find("owner/lora") is None
    repository = tmp_path / "cache" / "models--owner--lora"
    snapshot = repository / "snapshots" / ("0" * 40)
    shutil.copytree(folder, snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    assert lora.find("owner/lora") == snapshot / published.name


@pytest.mark.parametrize("location", ["", "no/such/place", "lora.bin", "x.safetensors"])
def test_a_place_that_cannot_be_is_said_in_one_sentence(location: str) -> None:
    with pytest.raises(StartError, match=r"^GENERATOR_LCM_LORA .*\.$"):
        lora.find(location)


def test_a_file_for_another_model_or_of_nonsense_does_not_fit(
    tmp_path: Path, unet: Any, weights: Path
) -> None:
    assert lora.fits(weights, unet)
    emoji = load("emoji", Options("cpu", lcm_lora=weights))
    assert "another model" in emoji.info.unavailable["fast"]
    bad = tmp_path / "bad.safetensors"
    for content in (b"", b"nonsense", weights.read_bytes()[:100]):
        bad.write_bytes(content)
        assert not lora.fits(bad, unet)
    save_file({"something": torch.zeros(1)}, bad)
    assert not lora.fits(bad, unet)


def test_fast_draws_with_its_own_weights_and_leaves_the_others_alone(
    loaded: Pipeline, model: Path, tmp_path: Path
) -> None:
    balanced = replace(TASK, preset="balanced", steps=2, guidance_scale=7.5)
    before = draw(loaded, balanced)
    pictures = {shown(draw(loaded, replace(TASK, seed=seed))) for seed in (1, 2)}
    assert len(pictures) == 2
    assert draw(loaded, TASK) == draw(loaded, TASK)
    assert draw(loaded, balanced) == before
    save_lora(tmp_path / "none.safetensors", loaded._pipe.unet, strength=0.0)
    without = load(model, Options("cpu", lcm_lora=tmp_path / "none.safetensors"))
    assert shown(draw(without, TASK)) != shown(draw(loaded, TASK))


@pytest.mark.long
@pytest.mark.parametrize("steps", [1, 4, 50, 150])
def test_fast_takes_any_number_of_steps(loaded: Pipeline, steps: int) -> None:
    reported: list[int] = []
    (outcome,) = draw_all(
        loaded, [replace(TASK, steps=steps)], lambda step: reported.append(step.number)
    )
    assert isinstance(outcome, Picture)
    assert reported == list(range(1, steps + 1))


def test_fast_draws_noise_of_its_own_for_each_of_a_batch(loaded: Pipeline) -> None:
    tasks = [replace(TASK, seed=seed) for seed in (1, 2, 3)]
    alone = [draw(loaded, task) for task in tasks]
    assert len(set(map(shown, alone))) == 3
    tokens = [CancelToken() for _ in tasks]
    tokens[0].cancel()
    outcomes = loaded.run(tasks, lambda _: None, tokens)
    for number in (1, 2):
        assert np.abs(pixels(outcomes[number]) - pixels(alone[number])).max() <= TOLERANCE


@pytest.mark.parametrize("single", [False, True])
def test_the_second_unet_comes_from_where_the_first_did(
    tmp_path: Path, model: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, *, single: bool
) -> None:
    expected = draw(load(model, Options("cpu", lcm_lora=weights)), TASK)
    if single:
        configuration = tiny.save(tmp_path / "configuration", "nothing")
        monkeypatch.setattr(loading, "SD15", configuration)
        model = tiny.save_single_file(tmp_path / "one.safetensors")
    found = draw(load(model, Options("cpu", lcm_lora=weights)), TASK)
    assert shown(found) == shown(expected)
