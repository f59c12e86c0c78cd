"""The sampling loop against diffusers' own, alone and in batches."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generator.diffusion.pipeline import Pipeline
from generator.diffusion.sampling import schedulers
from generator.diffusion.sampling.denoiser import Denoiser
from generator.presets import PRESETS, Interval, Preset, Reuse, Solver
from generator.tasks import Cancelled, CancelToken, Outcome, Picture, Step, Task, TaskError
from tests.generator import tiny
from tests.generator.drawing import TOLERANCE, draw, draw_all, ignore, load, pixels, shown

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

TASK = Task("a cat lying on a sofa", "blurry", tiny.SIDE, tiny.SIDE, 6, 7.5, 42)
BATCH = [TASK, replace(TASK, prompt="a dog", seed=7), replace(TASK, negative_prompt="", seed=1)]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return load(tiny.save(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.mark.parametrize("steps", [1, 2, 3, 20])
@pytest.mark.parametrize("guidance", [0, 1, 7.5])
@pytest.mark.parametrize("preset", ["faithful", "balanced"])
def test_a_picture_is_what_diffusers_draws(
    loaded: Pipeline, preset: str, guidance: float, steps: int
) -> None:
    task = replace(TASK, preset=preset, guidance_scale=guidance, steps=steps)
    expected = tiny.reference(loaded._pipe, task, PRESETS[preset].solver)
    assert np.array_equal(pixels(draw(loaded, task)), np.asarray(expected))


@pytest.mark.long
@pytest.mark.parametrize("preset", ["faithful", "balanced", "quick"])
@pytest.mark.parametrize("steps", [1, 2, 50, 150])
def test_every_step_is_reported_once(loaded: Pipeline, preset: str, steps: int) -> None:
    reported: list[int] = []
    task = replace(TASK, preset=preset, steps=steps)
    draw_all(loaded, [task], lambda step: reported.append(step.number))
    assert reported == list(range(1, steps + 1))


@pytest.mark.parametrize("preset", ["faithful", "balanced", "quick"])
@pytest.mark.parametrize(("width", "height"), [(64, 64), (72, 200)])
def test_a_picture_does_not_depend_on_its_neighbours(
    loaded: Pipeline, preset: str, width: int, height: int
) -> None:
    tasks = [replace(task, preset=preset, width=width, height=height) for task in BATCH]
    alone = [pixels(draw(loaded, task)) for task in tasks]
    together = [pixels(outcome) for outcome in draw_all(loaded, tasks)]
    for one, other in zip(alone, together, strict=True):
        assert np.abs(one - other).max() <= TOLERANCE
    assert np.abs(alone[0] - alone[1]).max() > 10 * TOLERANCE


def _cancel_at(
    loaded: Pipeline, tasks: Sequence[Task], index: int, at: int
) -> tuple[Sequence[Outcome], list[tuple[int, int]]]:
    tokens = [CancelToken() for _ in tasks]
    reported: list[tuple[int, int]] = []

    def on_step(step: Step) -> None:
        reported.append((step.task, step.number))
        if step.number == at:
            tokens[index].cancel()

    return loaded.run(tasks, on_step, tokens), reported


@pytest.mark.parametrize("preset", ["faithful", "balanced", "quick"])
def test_a_cancelled_task_leaves_its_batch_at_the_next_step(loaded: Pipeline, preset: str) -> None:
    tasks = [replace(task, preset=preset) for task in BATCH]
    alone = [pixels(draw(loaded, task)) for task in tasks]
    outcomes, reported = _cancel_at(loaded, tasks, 1, at=3)
    assert isinstance(outcomes[1], Cancelled)
    assert [step for which, step in reported if which == 1] in ([1, 2, 3], [1, 2, 3, 4])
    assert [step for which, step in reported if which == 2] == [1, 2, 3, 4, 5, 6]
    for number in (0, 2):
        assert np.abs(pixels(outcomes[number]) - alone[number]).max() <= TOLERANCE


def test_a_batch_that_is_cancelled_whole_does_no_more_steps(loaded: Pipeline) -> None:
    tokens = [CancelToken() for _ in BATCH]
    reported: list[int] = []

    def on_step(step: Step) -> None:
        reported.append(step.number)
        for token in tokens:
            token.cancel()

    outcomes = loaded.run(BATCH, on_step, tokens)
    assert all(isinstance(outcome, Cancelled) for outcome in outcomes)
    assert reported == [1, 1, 1]


def test_a_task_cancelled_while_others_are_decoded_is_not_decoded(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [CancelToken() for _ in BATCH]
    decode = loaded.decode

    def decode_and_cancel(latents: torch.Tensor) -> torch.Tensor:
        tokens[1].cancel()
        return decode(latents)

    monkeypatch.setattr(loaded, "decode", decode_and_cancel)
    outcomes = loaded.run(BATCH, ignore, tokens)
    assert [type(outcome) for outcome in outcomes] == [Picture, Cancelled, Picture]


@pytest.mark.parametrize("preset", ["balanced", "quick"])
def test_a_unet_in_half_precision_works_with_the_rest_in_full(tmp_path: Path, preset: str) -> None:
    mixed = load(tiny.save(tmp_path))
    whole = pixels(draw(mixed, replace(TASK, preset=preset)))
    mixed._pipe.unet.to(torch.bfloat16)
    half = pixels(draw(mixed, replace(TASK, preset=preset)))
    assert 0 < np.abs(half - whole).mean() < 20


def test_numbers_that_overflow_in_one_picture_end_that_one_alone(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = pixels(draw(loaded, BATCH[0]))
    encode = loaded._pipe.encode_prompt

    def spoil(prompt: str, *arguments: Any, **options: Any) -> Any:
        embeds, negative = encode(prompt, *arguments, **options)
        return (embeds * float("nan") if prompt == "a dog" else embeds), negative

    monkeypatch.setattr(loaded._pipe, "encode_prompt", spoil)
    outcomes = draw_all(loaded, BATCH)
    assert isinstance(outcomes[1], TaskError)
    assert np.abs(pixels(outcomes[0]) - alone).max() <= TOLERANCE
    assert isinstance(outcomes[2], Picture)


def test_a_batch_that_does_not_fit_memory_is_computed_one_by_one(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [draw(loaded, task) for task in BATCH]
    passes = Denoiser.__call__

    def refuse(self: Denoiser, latents: torch.Tensor, *rest: Any) -> torch.Tensor:
        if len(latents) > 2:
            torch.empty(1 << 60)  # the allocator's own refusal
        return passes(self, latents, *rest)

    monkeypatch.setattr(Denoiser, "__call__", refuse)
    reported: set[int] = set()
    outcomes = draw_all(loaded, BATCH, lambda step: reported.add(step.task))
    assert list(outcomes) == alone
    assert reported == {0, 1, 2}


# The UNet in two parts.


def _inputs(unet: Any, side: int = 8) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn((4, 4, side, side + 1), generator=generator)
    text = torch.randn((4, 77, unet.config.cross_attention_dim), generator=generator)
    return latents, torch.tensor(500), text


@pytest.mark.parametrize("layers", [1, 2, 3])
@torch.no_grad()
def test_a_unet_in_two_parts_gives_what_it_gives_whole(loaded: Pipeline, layers: int) -> None:
    unet = loaded._pipe.unet
    denoiser = Denoiser(unet)
    inputs = _inputs(unet)
    whole = unet(*inputs, return_dict=False)[0]
    assert torch.equal(denoiser(*inputs), whole)
    deep, features = denoiser.deep(*inputs, layers)
    assert torch.equal(deep, whole)
    assert torch.equal(denoiser.shallow(*inputs, layers, features), whole)


def _with(monkeypatch: pytest.MonkeyPatch, **presets: Preset) -> None:
    for name, preset in presets.items():
        monkeypatch.setitem(PRESETS, name, preset)


def test_reuse_at_every_step_is_none(loaded: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = shown(draw(loaded, replace(TASK, preset="balanced")))
    _with(monkeypatch, quick=Preset(Solver.DPM, 20, 7.5, reuse=Reuse(1, 1)))
    assert shown(draw(loaded, replace(TASK, preset="quick"))) == plain


def test_an_interval_of_all_noise_levels_is_none(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = shown(draw(loaded, replace(TASK, preset="balanced")))
    _with(monkeypatch, quick=Preset(Solver.DPM, 20, 7.5, guided=Interval(0, 1000)))
    assert shown(draw(loaded, replace(TASK, preset="quick"))) == plain


def _spy(name: str, passes: list[tuple[str, int]]) -> Any:
    call = getattr(Denoiser, name)

    def record(self: Denoiser, latents: torch.Tensor, *rest: Any) -> Any:
        passes.append((name, len(latents)))
        return call(self, latents, *rest)

    return record


def _rows(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch, tasks: Sequence[Task]
) -> list[tuple[str, int]]:
    """The passes of the UNet: which, and how many rows."""
    passes: list[tuple[str, int]] = []
    for name in ("__call__", "deep", "shallow"):
        monkeypatch.setattr(Denoiser, name, _spy(name, passes))
    loaded.run(tasks, ignore, [CancelToken() for _ in tasks])
    return passes


def test_quick_guides_within_its_interval_and_reuses_what_it_may(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = PRESETS["quick"]
    task = replace(TASK, preset="quick", steps=preset.steps)
    passes = _rows(loaded, monkeypatch, [task, task])
    assert len(passes) == preset.steps
    scheduler = schedulers.create(Solver.DPM, loaded._pipe.scheduler.config, preset.steps)
    assert preset.guided is not None
    sigmas = [schedulers.noise_level(scheduler, timestep) for timestep in scheduler.timesteps]
    rows = [4 if preset.guided.low < sigma <= preset.guided.high else 2 for sigma in sigmas]
    assert [count for _, count in passes] == rows
    begins = rows.index(4)
    assert passes[begins][0] == "deep"  # nothing to reuse for the negative prompt's rows
    kinds = [kind for kind, _ in passes]
    for kind, following in pairwise(kinds):
        assert (kind, following) != ("shallow", "shallow")
    assert kinds.count("shallow") >= preset.steps // 2 - 1


def test_a_unet_that_has_more_than_stable_diffusions_is_never_split(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded._denoisers.usual, "splits", False)
    passes = _rows(loaded, monkeypatch, [replace(TASK, preset="quick")])
    assert {kind for kind, _ in passes} == {"__call__"}


# Schedulers.


def test_the_noise_levels_of_balanced_are_those_of_karras() -> None:
    scheduler = schedulers.create(Solver.DPM, tiny.build().scheduler.config, 20)
    config = scheduler.config
    assert (config.algorithm_type, config.solver_order, config.solver_type) == (
        "dpmsolver++",
        2,
        "midpoint",
    )
    sigmas = scheduler.sigmas
    assert len(sigmas) == 21
    assert sigmas[-1] == 0
    # Karras et al., equation 5 with rho = 7: the seventh roots are evenly spaced.
    gaps = np.diff([float(sigma) ** (1 / 7) for sigma in sigmas[:-1]])
    assert gaps.max() - gaps.min() < 1e-3
    for sigma, timestep in zip(sigmas, scheduler.timesteps, strict=False):
        assert schedulers.noise_level(scheduler, timestep) == pytest.approx(float(sigma), rel=0.06)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_the_picture_in_the_noise_is_found(prediction: str) -> None:
    scheduler = schedulers.create(Solver.DPM, tiny.build().scheduler.config, 20)
    scheduler.register_to_config(prediction_type=prediction)
    clean, added = torch.randn(1, 4, 8, 8), torch.randn(1, 4, 8, 8)
    timestep = scheduler.timesteps[3]
    kept = scheduler.alphas_cumprod[timestep]
    noisy = kept.sqrt() * clean + (1 - kept).sqrt() * added
    predicted = {
        "epsilon": added,
        "v_prediction": kept.sqrt() * added - (1 - kept).sqrt() * clean,
        "sample": clean,
    }[prediction]
    found = schedulers.denoised(scheduler, timestep, noisy, predicted)
    assert torch.allclose(found, clean, atol=1e-4)


def test_a_preset_that_lost_its_weights_is_told_for_each_task(loaded: Pipeline) -> None:
    tasks = [replace(task, preset="fast") for task in BATCH]
    outcomes = loaded.run(tasks, ignore, [CancelToken() for _ in tasks])
    assert len(outcomes) == 3
    for outcome in outcomes:
        assert isinstance(outcome, TaskError)
        assert "fast has no weights" in str(outcome)
