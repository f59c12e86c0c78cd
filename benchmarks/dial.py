"""Whether the dial keeps its word: how far pictures are from the photo that they start from.

    python -m benchmarks.dial

The small model draws each photo at every step of the dial and, as Dream, from words alone; all with
the same words and seed. The photos are those of scikit-image and one of our tests'. The model was
trained on emoji (`training/fetch.py`), so that it has seen none of them, and no crop of one.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import skimage
from PIL import Image, ImageOps

from benchmarks.likeness import layout_distance
from generator import models
from generator.diffusion.options import Options
from generator.diffusion.pipeline import Pipeline
from generator.presets import BALANCED, PRESETS
from generator.tasks import CancelToken, InitImage, Picture, Task

_TESTS: Final = Path(__file__).parent.parent / "tests" / "photos"
_DATA: Final = Path(skimage.__file__).parent / "data"

PHOTOS: Final = {
    _DATA / "astronaut.png": "a football helmet",
    _DATA / "brick.png": "a maze",
    _DATA / "camera.png": "a tripod",
    _DATA / "chelsea.png": "a tabby cat",
    _DATA / "clock_motion.png": "a soap bubble",
    _DATA / "coffee.png": "a cup of espresso",
    _DATA / "coins.png": "a soap bubble",
    _DATA / "grass.png": "a soccer ball",
    _DATA / "gravel.png": "a doormat",
    _DATA / "hubble_deep_field.jpg": "a flatworm",
    _DATA / "ihc.png": "wool",
    _DATA / "moon.png": "a nematode",
    _DATA / "motorcycle_left.png": "a moped",
    _DATA / "page.png": "a memorial plaque",
    _DATA / "retina.jpg": "a lampshade",
    _DATA / "rocket.jpg": "a rocket",
    _DATA / "text.png": "a maze",
    _TESTS / "palace.jpg": "a palace",
}
"""Photos, and what the offline captioner says that they are of, right or wrong."""

SEEDS: Final = range(10, 15)

Distances = Sequence[float]
"""To the photo, from Dream to Twin."""


def measure(
    photos: Mapping[Path, str] = PHOTOS, seeds: Sequence[int] = SEEDS
) -> dict[str, list[Distances]]:
    """Draws them all.

    Returns:
        For each photo, by its name, the distances with each seed.
    """
    pipeline = Pipeline(models.find("emoji"), Options("cpu", previews="0"))
    found: dict[str, list[Distances]] = {}
    for file, words in photos.items():
        with Image.open(file) as opened:
            photo = opened.convert("RGB")
        found[file.stem] = [_draw(pipeline, photo, words, seed) for seed in seeds]
    return found


def falling(drawn: Mapping[str, Sequence[Distances]]) -> tuple[int, int]:
    """Of how many the distance falls at every step from Dream to Twin, and how many there are."""
    all_of_them = [distances for seeds in drawn.values() for distances in seeds]
    kept = [list(one) == sorted(set(one), reverse=True) for one in all_of_them]
    return sum(kept), len(kept)


def _draw(pipeline: Pipeline, photo: Image.Image, words: str, seed: int) -> Distances:
    info, preset = pipeline.info, PRESETS[BALANCED]
    dream = Task(
        f"a photo of {words}",
        "",
        info.width,
        info.height,
        preset.steps,
        preset.guidance_scale,
        seed,
    )
    file = io.BytesIO()
    photo.save(file, "PNG")
    strengths = sorted(info.dial.values(), reverse=True)
    tasks = [
        dream,
        *(replace(dream, init=InitImage(file.getvalue(), strength)) for strength in strengths),
    ]
    seen = ImageOps.fit(photo, (info.width, info.height), Image.Resampling.LANCZOS)
    return [layout_distance(_picture(pipeline, task), seen) for task in tasks]


def _picture(pipeline: Pipeline, task: Task) -> Image.Image:
    (outcome,) = pipeline.run([task], lambda _: None, [CancelToken()])
    assert isinstance(outcome, Picture), outcome
    return Image.open(io.BytesIO(outcome.png))


if __name__ == "__main__":
    for name, seeds in (measured := measure()).items():
        for distances in seeds:
            print(name, *(f"{distance:.0f}" for distance in distances))
    print("{} of {} fall from Dream to Twin.".format(*falling(measured)))
