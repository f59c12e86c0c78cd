"""Runs the stages of training one after the other."""

import argparse
import copy
import logging
from pathlib import Path
from typing import Final

import torch

from training import (
    art,
    autoencoder,
    diffusion,
    distributed,
    evaluate,
    export,
    fetch,
    latents,
    words,
)
from training.captions import Captions
from training.keywords import keywords
from training.loop import Stage
from training.profiles import Profile

_SAMPLES: Final = (
    "a photo of a tabby cat",
    "a photo of a dog",
    "a photo of a motor scooter",
    "a motorcycle parked on the street",
    "a photo of a palace",
    "a photo of a castle",
    "a red apple",
    "a pizza on a table",
    "a photo of a tree frog",
    "an elephant",
    "a car in front of a house",
    "a photo of an airliner",
    "a teddy bear on a blue background",
    "a photo of a sunflower",
    "a cup of coffee on a table",
    "a woman with a dog",
    "a photo of an acoustic guitar",
    "a photo of a laptop computer",
    "a photo of a German Shepherd Dog",
    "a cat and a pizza",
    "a photo of a goldfish",
    "a flat drawing of a cat",
    "a flat drawing of a sailboat",
    "",
)
_COLUMNS: Final = 8


def run(profile: Profile, options: argparse.Namespace) -> None:
    """Trains the model and writes it where the command line's options say."""
    work: Path = options.work
    if distributed.rank() == 0:
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(message)s", filename=work / "training.log"
        )
    torch.use_deterministic_algorithms(profile.device == "cuda", warn_only=True)
    shown = fetch.read(work, profile)
    coder = autoencoder.train(profile, shown, work, options.seed)
    latents.standardize(coder, shown)
    if distributed.rank() == 0:
        latents.make(shown, coder, work / "latents.pt", options.seed)
    distributed.barrier()
    encoded = latents.make(shown, coder, work / "latents.pt", options.seed)
    further = keywords(fetch.emojibase(work), shown.concepts)
    captions = Captions(shown.concepts, further, profile.noto)
    tokenizer = words.tokenizer(captions.corpus())
    drawer = diffusion.new(profile, tokenizer, options.seed)

    def sample(stage: Stage) -> None:
        pipe = export.pipeline(autoencoder.copy(drawer, stage), tokenizer, coder)
        drawn = evaluate.draw(pipe, _SAMPLES, range(len(_SAMPLES)))
        rows = [drawn[start : start + _COLUMNS] for start in range(0, len(drawn), _COLUMNS)]
        art.sheet(rows).save(work / f"samples-{stage.step:06}.png")

    stage = diffusion.train(
        profile,
        diffusion.Batches(profile, encoded, captions, tokenizer, options.seed),
        drawer,
        work / "diffusion.pt",
        every=options.every,
        report=sample,
    )
    autoencoder.refine(profile, coder, encoded, shown, work, options.seed)
    if distributed.rank() == 0:
        export.save(
            autoencoder.copy(drawer, stage),
            tokenizer,
            copy.deepcopy(coder),
            options.out or work / "model",
        )
