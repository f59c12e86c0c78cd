"""The stages of training, one after the other."""

import argparse
import copy
import logging
from pathlib import Path
from typing import Final

from training import art, autoencoder, diffusion, evaluate, export, fetch, latents, team, words
from training.captions import Captions
from training.concepts import concepts, numbers
from training.loop import Stage

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
    "a mountain with snow",
    "a sailboat",
    "",
)
_COLUMNS: Final = 8


def run(options: argparse.Namespace) -> None:
    """Trains and writes the model, as the command line's options say."""
    work: Path = options.work
    if team.rank() == 0:
        logging.basicConfig(
            level=logging.INFO, format="%(asctime)s %(message)s", filename=work / "training.log"
        )
    names = [concept.name for concept in concepts()]
    shown = art.Art(fetch.arts(work))
    lettered = frozenset(numbers()[name] for name in art.LETTERED)
    coder = autoencoder.train(
        shown,
        lettered,
        work,
        steps=0 if options.export else options.autoencoder_steps,
        seed=options.seed,
    )
    latents.standardize(coder, shown)
    if team.rank() == 0:
        latents.make(shown, names, coder, work / "latents.pt", options.seed)
    team.wait()
    encoded = latents.make(shown, names, coder, work / "latents.pt", options.seed)
    tokenizer = words.tokenizer(Captions().corpus())
    drawer = diffusion.new(tokenizer, options.seed)
    batches = diffusion.Batches(encoded, tokenizer, options.seed)

    def sample(stage: Stage) -> None:
        pipe = export.pipeline(autoencoder.copy(drawer, stage), tokenizer, coder)
        drawn = evaluate.draw(pipe, _SAMPLES, range(len(_SAMPLES)))
        rows = [drawn[start : start + _COLUMNS] for start in range(0, len(drawn), _COLUMNS)]
        art.sheet(rows).save(work / f"samples-{stage.step:06}.png")

    stage = diffusion.train(
        batches,
        drawer,
        work / "diffusion.pt",
        steps=0 if options.export else options.diffusion_steps,
        every=options.every,
        report=sample,
    )
    autoencoder.refine(
        coder,
        encoded,
        shown,
        work,
        steps=0 if options.export else options.decoder_steps,
        seed=options.seed,
    )
    if team.rank() == 0:
        export.save(
            autoencoder.copy(drawer, stage),
            tokenizer,
            copy.deepcopy(coder),
            options.out or work / "model",
        )
