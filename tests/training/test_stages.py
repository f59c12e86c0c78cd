"""Two steps of each stage, on made-up art."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL import Image
from torch import Tensor

from generator import models
from generator.models import loading
from tests.generator import tiny
from training import autoencoder, diffusion, evaluate, export, latents, words
from training.art import COLOURS, SIDE, WHITE, Art, View, plain, random_view, tensor
from training.captions import Captions
from training.concepts import concepts
from training.latents import Latents
from training.loop import Stage

pytestmark = pytest.mark.filterwarnings(tiny.NUMPY_WARNING)

SEED = 5


class PowerFailure(Exception):
    """The power went."""


@pytest.fixture
def art(tmp_path: Path) -> Art:
    files = [tmp_path / f"{colour}.png" for colour in ("red", "green", "blue")]
    for file in files:
        square = Image.new("RGBA", (32, 32))
        square.paste(Image.new("RGBA", (10, 20), file.stem), (2, 6))
        square.save(file)
    return Art(files)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoencoder, "_BATCH", 2)
    monkeypatch.setattr(diffusion, "_CAPTIONS", 2)

    def vectors(sentences: list[str]) -> Tensor:
        return torch.randn(len(sentences), 384, generator=torch.Generator().manual_seed(1))

    unet = {**diffusion.unet().config, "block_out_channels": (16, 32)}
    coder = {**autoencoder.build().config, "block_out_channels": (8, 8, 16, 16)}

    monkeypatch.setattr(words, "encode", vectors)
    monkeypatch.setattr(diffusion, "unet", lambda: UNet2DConditionModel.from_config(unet))
    monkeypatch.setattr(autoencoder, "build", lambda: AutoencoderKL.from_config(coder))


def drawer_and_batches() -> tuple[Any, diffusion.Batches, Any]:
    random = np.random.default_rng(SEED)
    views = [
        random_view(number, mirrors=True, colours=(colour,), random=random)
        for number in range(len(concepts()))
        for colour in COLOURS
    ]
    values = torch.randn(len(views), 8, 8, 8, generator=torch.Generator().manual_seed(SEED))
    tokenizer = words.tokenizer(Captions().corpus())
    batches = diffusion.Batches(Latents(values, views), tokenizer, SEED)
    return diffusion.new(tokenizer, SEED), batches, tokenizer


def test_a_view_shows_the_art_on_its_background(art: Art) -> None:
    as_it_is = art.picture(plain(0))
    mirrored = art.picture(View(0, mirrored=True, side=SIDE, left=0, top=0, colour=WHITE))
    smaller = art.picture(View(0, mirrored=False, side=54, left=10, top=0, colour="blue"))

    assert as_it_is.shape == (SIDE, SIDE, 3)
    assert (as_it_is[:, ::-1] == mirrored).all()
    assert tuple(as_it_is[0, 0]) == (255, 255, 255)
    assert tuple(as_it_is[30, 12]) == (255, 0, 0)
    assert tuple(smaller[0, 0]) == COLOURS["blue"]


@pytest.mark.usefixtures("small")
def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    def reached(file: Path, *, interrupted: bool) -> Stage:
        drawer, batches, _ = drawer_and_batches()
        stage = Stage(file, drawer, rate=1e-3, decay=0.9)

        def loss(step: int) -> Tensor:
            if interrupted and step == 1:
                raise PowerFailure
            return batches.loss(drawer, step)

        stage.run(2, loss, every=1, report=lambda _: None)
        return stage

    with pytest.raises(PowerFailure):
        reached(tmp_path / "resumed.pt", interrupted=True)
    resumed = reached(tmp_path / "resumed.pt", interrupted=False)
    straight = reached(tmp_path / "straight.pt", interrupted=False)

    assert resumed.step == straight.step == 2
    for name, value in straight.module.state_dict().items():
        assert torch.equal(value, resumed.module.state_dict()[name]), name
    for name, value in straight.average.values.items():
        assert torch.equal(value, resumed.average.values[name]), name


@pytest.mark.usefixtures("small")
def test_what_is_exported_loads_in_the_generator(tmp_path: Path, art: Art) -> None:
    coder = autoencoder.train(art, frozenset({2}), tmp_path, steps=2, seed=SEED)
    latents.standardize(coder, art)
    encoded = latents.make(art, ["a", "b", "stop sign"], coder, tmp_path / "latents.pt", SEED)
    autoencoder.refine(coder, encoded, art, tmp_path, steps=1, seed=SEED)
    drawer, _, tokenizer = drawer_and_batches()
    export.save(drawer, tokenizer, coder, tmp_path / "model")

    pipe = loading.load(models.find(str(tmp_path / "model")), torch.float32)
    first, again = (evaluate.draw(pipe, ["a cat", "a dog"], [1, 2]) for _ in range(2))

    assert np.shape(first) == (2, SIDE, SIDE, 3)
    assert np.array_equal(first, again)


@pytest.mark.usefixtures("small")
def test_latents_are_standard_and_pictures_stay(tmp_path: Path, art: Art) -> None:
    torch.manual_seed(SEED)
    coder = autoencoder.build().eval().requires_grad_(False)
    seen = tensor([art.picture(plain(number)) for number in range(3)])
    before = autoencoder.reconstruct(coder, seen)

    latents.standardize(coder, art)

    assert torch.allclose(before, autoencoder.reconstruct(coder, seen), atol=1e-4)
    values = coder.encode(seen).latent_dist.mode()
    assert torch.allclose(values.mean((0, 2, 3)), torch.zeros(8), atol=1e-4)
    assert torch.allclose(values.std((0, 2, 3)), torch.ones(8), atol=1e-4)
    made = latents.make(art, ["a", "b", "stop sign"], coder, tmp_path / "latents.pt", SEED)
    kept = latents.make(art, [], coder, tmp_path / "latents.pt", SEED)
    assert made.views == kept.views
    assert torch.equal(made.values, kept.values)
    assert not any(view.mirrored for view in made.views if view.concept == 2)
