"""What each preset costs in likeness to `faithful`, and saves in time, on one model.

    python -m benchmarks.presets [--model emoji] [--seeds 3] [--size 0] [--lcm-lora FILE]

All presets take turns, seed by seed, so that the machine's changing pace meets them alike. Beside
the presets stand some that are not offered, `balanced` with one half of `quick` each, to tell them
apart. Likeness: the cosine of the last latents with those of `faithful`, and the pictures' PSNR.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from benchmarks.likeness import cosine, psnr
from generator import models
from generator.diffusion.options import Options
from generator.diffusion.pipeline import Pipeline
from generator.presets import BALANCED, FAITHFUL, FAST, PRESETS, QUICK, Preset
from generator.tasks import CancelToken, Task

_PROMPTS = (
    "a cat lying on a sofa",
    "a red apple on a wooden table",
    "a sailing boat on the sea at sunset",
)


@dataclass
class _Row:
    """What was measured of one preset."""

    seconds: list[float] = field(default_factory=list)
    cosines: list[float] = field(default_factory=list)
    psnrs: list[float] = field(default_factory=list)


def _variants(*, with_fast: bool) -> dict[str, Preset]:
    balanced, quick = PRESETS[BALANCED], PRESETS[QUICK]
    variants = {
        **PRESETS,
        "balanced + interval": replace(balanced, guided=quick.guided),
        "balanced + reuse": replace(balanced, reuse=quick.reuse),
        "quick, 2 layers": replace(
            quick, reuse=replace(quick.reuse, layers=2) if quick.reuse else None
        ),
    }
    if not with_fast:
        del variants[FAST]
    return variants


def _draw(
    pipeline: Pipeline, preset: Preset, task: Task
) -> tuple[float, torch.Tensor, torch.Tensor]:
    """Seconds of sampling, the last latents, and the picture as the decoder gives it."""
    task = replace(task, steps=preset.steps, guidance_scale=preset.guidance_scale)
    began = time.perf_counter()
    (sample,) = pipeline.sample(preset, [task], lambda *_: None, [CancelToken()])
    taken = time.perf_counter() - began
    picture = (pipeline.decode(sample.latents).float() / 2 + 0.5).clamp(0, 1)
    return taken, sample.latents, picture


def _measure(
    pipeline: Pipeline, variants: dict[str, Preset], tasks: Sequence[Task]
) -> dict[str, _Row]:
    rows = {name: _Row() for name in variants}
    _draw(pipeline, variants[BALANCED], tasks[0])  # the first one is slower
    for task in tasks:
        faithful: tuple[torch.Tensor, torch.Tensor] | None = None
        for name, preset in variants.items():
            seconds, latents, picture = _draw(pipeline, preset, task)
            if name == FAITHFUL:
                faithful = latents, picture
            assert faithful is not None
            row = rows[name]
            row.seconds.append(seconds)
            row.cosines.append(cosine(latents, faithful[0]))
            row.psnrs.append(psnr(picture, faithful[1]))
    return rows


def main() -> None:
    """Measures and prints a table in Markdown."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="emoji")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", type=int, default=0, help="pixels; 0: the model's own")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--lcm-lora", type=Path)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
    options = Options(arguments.device, arguments.lcm_lora, previews="0")
    pipeline = Pipeline(models.find(arguments.model), options)
    info = pipeline.info
    with_fast = arguments.lcm_lora is not None and FAST not in info.unavailable
    tasks = [
        Task(prompt, "", arguments.size or info.width, arguments.size or info.height, 1, 7.5, seed)
        for seed in range(arguments.seeds)
        for prompt in _PROMPTS
    ]
    rows = _measure(pipeline, _variants(with_fast=with_fast), tasks)
    slowest = statistics.median(rows[FAITHFUL].seconds)
    print(f"{info.name}, {len(tasks)} pictures each; medians (least to most)\n")
    print("| preset | s a picture, without decoding | time | latent cosine | PSNR, dB |")
    print("|---|---|---|---|---|")
    for name, row in rows.items():
        seconds = statistics.median(row.seconds)
        print(
            f"| {name} | {seconds:.3g} ({min(row.seconds):.3g} to {max(row.seconds):.3g})"
            f" | 1/{slowest / seconds:.2f}"
            f" | {statistics.median(row.cosines):.4f} ({min(row.cosines):.4f})"
            f" | {statistics.median(row.psnrs):.1f} ({min(row.psnrs):.1f}) |"
        )


if __name__ == "__main__":
    main()
