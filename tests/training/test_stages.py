"""Two steps of each stage, on made-up art."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from generator import models
from generator.models import loading
from tests.generator import tiny
from training import autoencoder, diffusion, evaluate, export, latents, words
from training.art import COLOURS, FLUENT, NOTO, STYLES, WHITE, Art, View, tensor
from training.captions import Captions
from training.concepts import Concept, reviewed
from training.latents import Latents
from training.loop import Stage
from training.profiles import PROFILES, Device, Profile

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

SEED = 5


class PowerFailure(Exception):
    """The power went."""


def small(profile: Profile) -> Profile:
    """The profile's way, with next to no channels, pictures and steps, on the CPU."""
    return replace(
        profile,
        device="cpu",
        coder_channels=(8, 8, 16, 16),
        unet_channels=(16,) * len(profile.unet_channels),
        pictures=2,
        captions=2,
        shared_from=1,
        autoencoder_steps=2,
        diffusion_steps=2,
        decoder_steps=1,
    )


SMALL = small(PROFILES["cpu"])


def made_up(folder: Path, side: int = SMALL.side) -> Art:
    """Three concepts: a rectangle each, bright in one style and dark in the other."""
    colours = {FLUENT: ("red", "green", "blue"), NOTO: ("maroon", "olive", "navy")}
    files = {
        style: [folder / f"{name}.png" for name in ordered] for style, ordered in colours.items()
    }
    for file in (file for ordered in files.values() for file in ordered):
        square = Image.new("RGBA", (32, 32))
        square.paste(Image.new("RGBA", (10, 20), file.stem), (2, 6))
        square.save(file)
    return Art(files, [Concept(name, (), mirrors=name != "c") for name in "abc"], side)


@pytest.fixture
def art(tmp_path: Path) -> Art:
    return made_up(tmp_path)


@pytest.fixture(autouse=True)
def _no_sentence_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def vectors(sentences: list[str]) -> Tensor:
        return torch.randn(len(sentences), 384, generator=torch.Generator().manual_seed(1))

    monkeypatch.setattr(words, "encode", vectors)


def drawer_and_batches(profile: Profile) -> tuple[Any, diffusion.Batches, Any]:
    views = [
        View(number, style, mirrored=False, side=profile.side, left=0, top=0, colour=colour)
        for number in range(len(reviewed()))
        for style in STYLES
        for colour in COLOURS
    ]
    rows = profile.side // 8
    random = torch.Generator().manual_seed(SEED)
    values = torch.randn(len(views), profile.latent_channels, rows, rows, generator=random)
    captions = Captions(reviewed(), [()] * len(reviewed()), profile.noto)
    tokenizer = words.tokenizer(captions.corpus())
    batches = diffusion.Batches(profile, Latents(values, views), captions, tokenizer, SEED)
    return diffusion.new(profile, tokenizer, SEED), batches, tokenizer


def test_a_view_shows_the_art_on_its_background(art: Art) -> None:
    side = art.side
    as_it_is = art.picture(art.plain(0))
    mirrored = art.picture(art.mirrored(0))
    smaller = art.picture(View(0, NOTO, mirrored=False, side=54, left=10, top=0, colour="blue"))

    assert as_it_is.shape == (side, side, 3)
    assert (as_it_is[:, ::-1] == mirrored).all()
    assert tuple(as_it_is[0, 0]) == (255, 255, 255)
    assert tuple(as_it_is[30, 12]) == (255, 0, 0)
    assert tuple(smaller[0, 0]) == COLOURS["blue"]
    assert tuple(smaller[25, 20]) == (128, 0, 0)


def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    def reached(file: Path, *, interrupted: bool) -> Stage:
        drawer, batches, _ = drawer_and_batches(SMALL)
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


@pytest.mark.long
@pytest.mark.parametrize("device", PROFILES)
def test_what_a_profile_makes_loads_in_the_generator(tmp_path: Path, device: Device) -> None:
    """No GPU is needed: the larger model's stages run here, too."""
    profile = small(PROFILES[device])
    art = made_up(tmp_path, profile.side)
    coder = autoencoder.train(profile, art, tmp_path, SEED)
    latents.standardize(coder, art)
    encoded = latents.make(art, coder, tmp_path / "latents.pt", SEED)
    autoencoder.refine(profile, coder, encoded, art, tmp_path, SEED)
    drawer, batches, tokenizer = drawer_and_batches(profile)
    file = tmp_path / "diffusion.pt"
    stage = diffusion.train(profile, batches, drawer, file, every=1, report=lambda _: None)
    export.save(autoencoder.copy(drawer, stage), tokenizer, coder, tmp_path / "model")

    pipe = loading.load(models.find(str(tmp_path / "model")), torch.float32)
    drawn = evaluate.draw(pipe, ["a cat"], [1])

    assert stage.step == profile.diffusion_steps
    assert encoded.values.shape[1:] == (profile.latent_channels, *[profile.side // 8] * 2)
    assert np.shape(drawn) == (1, profile.side, profile.side, 3)


def test_latents_are_standard_and_pictures_stay(art: Art) -> None:
    torch.manual_seed(SEED)
    coder = autoencoder.build(SMALL).eval().requires_grad_(False)
    views = [art.plain(number) for number in range(3)]
    seen = tensor([art.picture(view) for view in views])
    before = autoencoder.reconstruct(coder, seen)

    latents.standardize(coder, art)

    assert torch.allclose(before, autoencoder.reconstruct(coder, seen), atol=1e-4)
    values = latents.encode(coder, art, views)
    assert torch.allclose(values.mean((0, 2, 3)), torch.zeros(8), atol=1e-4)
    assert torch.allclose(values.std((0, 2, 3)), torch.ones(8), atol=1e-4)


def test_latents_are_made_once_for_every_style_and_colour(tmp_path: Path, art: Art) -> None:
    torch.manual_seed(SEED)
    coder = autoencoder.build(SMALL).eval().requires_grad_(False)

    made = latents.make(art, coder, tmp_path / "latents.pt", SEED)
    kept = latents.make(art, coder, tmp_path / "latents.pt", SEED + 1)

    assert made.views == kept.views
    assert torch.equal(made.values, kept.values)
    assert {(view.concept, view.style, view.colour) for view in made.views} == {
        (concept, style, colour) for concept in range(3) for style in STYLES for colour in COLOURS
    }
    assert any(view.mirrored for view in made.views if view.concept == 0)
    assert [view for view in made.views if view.style == NOTO and view.colour == WHITE] == [
        art.plain(concept, NOTO) for concept in range(3)
    ]
    assert not any(view.mirrored for view in made.views if view.concept == 2)
