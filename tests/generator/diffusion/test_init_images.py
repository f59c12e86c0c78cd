"""Pictures that start from a picture, against diffusers' own image to image."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.likeness import cosine
from generator.diffusion import init_images
from generator.diffusion.options import Options
from generator.diffusion.pipeline import Pipeline
from generator.diffusion.sampling import schedulers
from generator.diffusion.sampling.denoiser import Denoiser
from generator.models import loading
from generator.presets import PRESETS, Interval, Preset, Reuse, Solver
from generator.tasks import (
    Cancelled,
    CancelToken,
    InitImage,
    Picture,
    SafetyRejected,
    Step,
    Task,
    TaskError,
    computed_steps,
)
from tests.generator import tiny
from tests.generator.drawing import TOLERANCE, draw, draw_all, ignore, load, pixels, shown
from tests.generator.models.test_lora import save_lora

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

_LIKENESS = 0.999
"""Cosine of latents with those of diffusers."""


def _png(width: int, height: int, seed: int = 0) -> bytes:
    """A picture of soft colours."""
    generator = np.random.default_rng(seed)
    small = generator.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


TASK = Task(
    prompt="a cat lying on a sofa",
    negative_prompt="blurry",
    width=tiny.SIDE,
    height=tiny.SIDE,
    steps=8,
    guidance_scale=7.5,
    seed=42,
    init=InitImage(_png(tiny.SIDE, tiny.SIDE), 0.55),
)
OTHERS = [
    replace(TASK, seed=7, init=InitImage(_png(90, 70, seed=1), 0.55)),
    replace(TASK, prompt="a dog", init=InitImage(_png(64, 640, seed=2), 0.6)),
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("models")
    save_lora(folder / "lora.safetensors", tiny.build().unet)
    return load(tiny.save(folder / "tiny"), Options("cpu", folder / "lora.safetensors"))


def _init(task: Task, strength: float) -> Task:
    assert task.init is not None
    return replace(task, init=replace(task.init, strength=strength))


def _latents(pipeline: Pipeline, task: Task, preset: Preset | None = None) -> Any:
    preset = preset or PRESETS[task.preset]
    (sample,) = pipeline.sample(preset, [task], lambda *_: None, [CancelToken()])
    assert sample.end is None
    return sample.latents


def _reference(pipeline: Pipeline, task: Task) -> Any:
    """Latents by diffusers, with the UNet that ours has for the preset."""
    preset = PRESETS[task.preset]
    parts = pipeline._pipe
    unet = parts.unet
    parts.unet = pipeline._denoisers.of(preset)._unet
    try:
        return tiny.call_reference(parts, task, preset.solver, "latent")
    finally:
        parts.unet = unet


@pytest.mark.parametrize(("steps", "strength"), [(20, 0.35), (20, 0.75), (4, 0.55), (3, 1.0)])
@pytest.mark.parametrize(
    ("preset", "guidance"), [("faithful", 7.5), ("balanced", 7.5), ("balanced", 1), ("fast", 1)]
)
def test_a_picture_is_what_diffusers_makes_of_it(
    loaded: Pipeline, preset: str, guidance: float, steps: int, strength: float
) -> None:
    task = replace(TASK, preset=preset, guidance_scale=guidance, steps=steps)
    task = _init(task, strength)
    found, wanted = _latents(loaded, task), _reference(loaded, task)
    assert cosine(found, wanted) >= _LIKENESS
    assert torch.allclose(found, wanted, rtol=0, atol=1e-4 * float(wanted.abs().max()))


@pytest.mark.long
@pytest.mark.parametrize("preset", ["faithful", "balanced"])
@pytest.mark.parametrize("strength", [0.3, 0.7])
def test_emoji_draws_what_diffusers_does_with_it(preset: str, strength: float) -> None:
    emoji = load("emoji", Options("cpu"))
    task = replace(TASK, preset=preset, width=256, height=256, steps=PRESETS[preset].steps)
    task = _init(replace(task, prompt="a dog", negative_prompt=""), strength)
    assert cosine(_latents(emoji, task), _reference(emoji, task)) >= _LIKENESS


@pytest.mark.parametrize(
    ("steps", "strength", "computed"),
    [(20, 0.35, 7), (20, 0.55, 11), (20, 0.75, 15), (20, 1.0, 20), (1, 0.5, 1), (3, 0.01, 1)],
)
@pytest.mark.parametrize("preset", ["faithful", "balanced", "quick", "fast"])
def test_the_steps_that_are_computed_are_reported_once(
    loaded: Pipeline, preset: str, steps: int, strength: float, computed: int
) -> None:
    assert computed_steps(steps, strength) == computed
    reported: list[int] = []
    task = _init(replace(TASK, preset=preset, steps=steps), strength)
    draw_all(loaded, [task], lambda step: reported.append(step.number))
    assert reported == list(range(1, computed + 1))


def test_without_a_picture_all_steps_are_computed() -> None:
    assert computed_steps(20, None) == replace(TASK, init=None, steps=20).computed_steps == 20


def test_the_same_request_gives_the_same_bytes_and_every_part_of_it_counts(
    loaded: Pipeline,
) -> None:
    tasks = [
        TASK,
        _init(TASK, 0.75),
        replace(TASK, init=InitImage(_png(64, 64, seed=3), 0.55)),
        replace(TASK, seed=1),
        replace(TASK, prompt="a dog"),
        replace(TASK, init=None),
    ]
    drawn = [draw(loaded, task) for task in tasks]
    assert len(set(map(shown, drawn))) == len(tasks)
    assert [draw(loaded, task) for task in tasks] == drawn


def test_the_weaker_the_nearer(loaded: Pipeline) -> None:
    """Random weights draw noise, and of that there is less the fewer steps there are."""
    start = loaded.encode(init_images.read(_png(64, 64), (64, 64), (64, 64)))
    likeness = [
        cosine(_latents(loaded, _init(replace(TASK, steps=20), strength)), start)
        for strength in (0.05, 0.35, 0.75)
    ]
    assert likeness == sorted(likeness, reverse=True)


# What it starts from.


def test_a_picture_is_cropped_around_its_centre_and_never_stretched() -> None:
    stripes = np.zeros((60, 120, 3), np.uint8)
    stripes[:, 30:90] = 255
    stripes[:, :30, 0] = 255  # red on the left, blue on the right
    stripes[:, 90:, 2] = 255
    file = io.BytesIO()
    Image.fromarray(stripes).save(file, "PNG")
    middle = init_images.read(file.getvalue(), (512, 512), (16, 16))
    assert middle.shape == (1, 3, 16, 16)
    assert float(middle[..., 2:-2].min()) > 0.99  # the filter reaches over the edge of the crop
    whole = init_images.read(file.getvalue(), (2, 1), (32, 16))
    colours = [[1, -1, -1], [1, 1, 1], [-1, -1, 1]]
    assert [whole[0, :, 8, at].tolist() for at in (2, 16, 29)] == colours
    tall = init_images.read(file.getvalue(), (384, 704), (16, 24))
    assert tall.shape == (1, 3, 24, 16)
    assert float(tall[..., 2:-2].min()) > 0.99


def test_a_small_models_picture_starts_at_the_size_that_it_draws(tmp_path: Path) -> None:
    small = tiny.build()
    small.unet.register_to_config(sample_size=8)
    small.save_pretrained(tmp_path)
    loaded = load(tmp_path)
    task = replace(TASK, width=256, height=256, init=InitImage(_png(64, 64), 0.55))
    wanted = tiny.reference(small, replace(task, width=64, height=64), Solver.DPM)
    enlarged = wanted.resize((256, 256), Image.Resampling.LANCZOS)
    assert np.abs(pixels(draw(loaded, task)) - np.asarray(enlarged)).max() <= 1


# Batches.


@pytest.mark.parametrize("preset", ["faithful", "balanced", "quick"])
def test_pictures_that_start_from_others_are_drawn_together(loaded: Pipeline, preset: str) -> None:
    tasks = [replace(task, preset=preset) for task in (TASK, *OTHERS)]
    alone = [pixels(draw(loaded, task)) for task in tasks]
    together = [pixels(outcome) for outcome in draw_all(loaded, tasks)]
    for one, other in zip(alone, together, strict=True):
        assert np.abs(one - other).max() <= TOLERANCE
    assert np.abs(alone[0] - alone[1]).max() > 10 * TOLERANCE


def test_beside_pictures_that_start_from_noise_too(loaded: Pipeline) -> None:
    tasks = [_init(TASK, 1.0), replace(TASK, init=None), _init(OTHERS[0], 1.0)]
    alone = [pixels(draw(loaded, task)) for task in tasks]
    for one, outcome in zip(alone, draw_all(loaded, tasks), strict=True):
        assert np.abs(one - pixels(outcome)).max() <= TOLERANCE


# Quick.


def test_quick_without_what_makes_it_quick_is_balanced(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = shown(draw(loaded, TASK))
    for preset in (
        Preset(Solver.DPM, 20, 7.5, reuse=Reuse(1, 1)),
        Preset(Solver.DPM, 20, 7.5, guided=Interval(0, 1000)),
    ):
        monkeypatch.setitem(PRESETS, "quick", preset)
        assert shown(draw(loaded, replace(TASK, preset="quick"))) == plain


def test_quick_guides_and_reuses_by_noise_levels_and_not_by_steps(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = PRESETS["quick"]
    task = _init(replace(TASK, preset="quick", steps=preset.steps), 0.55)
    passes: list[tuple[str, int]] = []
    for name in ("deep", "shallow"):
        monkeypatch.setattr(Denoiser, name, _spy(name, passes))
    draw_all(loaded, [task])
    scheduler = schedulers.create(Solver.DPM, loaded._pipe.scheduler.config, preset.steps)
    assert preset.guided is not None
    levels = [schedulers.noise_level(scheduler, timestep) for timestep in scheduler.timesteps]
    wanted = [2 if preset.guided.low < level <= preset.guided.high else 1 for level in levels]
    assert [rows for _, rows in passes] == wanted[preset.steps - task.computed_steps :]
    assert passes[0][0] == "deep"


def _spy(name: str, passes: list[tuple[str, int]]) -> Any:
    call = getattr(Denoiser, name)

    def record(self: Denoiser, latents: torch.Tensor, *rest: Any) -> Any:
        passes.append((name, len(latents)))
        return call(self, latents, *rest)

    return record


# Ends.


@pytest.mark.parametrize("when", ["before", "while it is encoded", "at a step"])
def test_a_cancelled_task_ends_within_one_step(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    tokens = [CancelToken(), CancelToken()]
    encoded: list[int] = []
    encode = loaded.encode

    def spy(picture: torch.Tensor) -> torch.Tensor:
        encoded.append(1)
        if when == "while it is encoded":
            for token in tokens:
                token.cancel()
        return encode(picture)

    reported: list[int] = []

    def on_step(step: Step) -> None:
        reported.append(step.number)
        for token in tokens:
            token.cancel()

    monkeypatch.setattr(loaded, "encode", spy)
    if when == "before":
        for token in tokens:
            token.cancel()
    outcomes = loaded.run([TASK, OTHERS[0]], on_step, tokens)
    assert [type(outcome) for outcome in outcomes] == [Cancelled, Cancelled]
    # Whoever is cancelled while another is encoded is not encoded any more.
    assert len(encoded) == {"before": 0, "while it is encoded": 1, "at a step": 2}[when]
    assert reported == ([1, 1] if when == "at a step" else [])


def test_previews_show_it_on_its_way(tmp_path: Path) -> None:
    loaded = load(tiny.save(tmp_path), Options("cpu", previews="always"))
    steps: list[Step] = []
    draw_all(loaded, [TASK], steps.append)
    assert steps[0].preview is not None
    assert Image.open(io.BytesIO(steps[0].preview)).size == (256, 256)


def test_a_flagged_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SafetyRejected):
        draw(load(tiny.save(tmp_path, "everything")), TASK)


def test_an_encoder_that_overflows_is_an_error_and_no_black_picture(tmp_path: Path) -> None:
    broken = load(tiny.save(tmp_path))
    broken._pipe.vae.encoder.conv_out.bias.data.fill_(float("nan"))
    with pytest.raises(TaskError, match="overflowed"):
        draw(broken, TASK)
    assert draw(broken, replace(TASK, init=None)).png


def test_a_picture_whose_encoding_does_not_fit_memory_is_an_error_and_the_next_one_works(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = draw(loaded, TASK)

    def refuse(_picture: torch.Tensor, **_options: object) -> object:
        return torch.empty(1 << 60)  # the allocator's own refusal

    with monkeypatch.context() as patch:
        patch.setattr(loaded._pipe.vae, "encode", refuse)
        outcomes: Sequence[Any] = draw_all(loaded, [TASK, replace(TASK, seed=3)])
    for outcome in outcomes:
        assert isinstance(outcome, TaskError)
        assert "64 x 64 does not fit" in str(outcome)
    assert draw(loaded, TASK) == before


# The engine.


@pytest.mark.long
@pytest.mark.parametrize(("capability", "least"), [("avx512_f", 0.999999), ("avx512_bf16", 0.999)])
@pytest.mark.parametrize("side", [64, 72])
def test_the_fast_engine_encodes_and_draws_the_same(
    capability: str, least: float, side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny.save(tmp_path)
    plain = load(folder)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True})
    monkeypatch.setattr(loading, "_SMALL", 0)
    fast = load(folder, Options("cpu"))
    assert not any(isinstance(part, torch.nn.Conv2d) for part in fast._pipe.vae.encoder.modules())
    picture = init_images.read(_png(48, 80), (48, side), (48, side))
    assert cosine(fast.encode(picture), plain.encode(picture)) > least
    task = replace(TASK, width=48, height=side, steps=4, guidance_scale=3)
    outcomes = fast.run([task], ignore, [CancelToken()])
    assert isinstance(outcomes[0], Picture)
    assert cosine(_latents(fast, task), _latents(plain, task)) > least
    assert draw(fast, task) == outcomes[0]
