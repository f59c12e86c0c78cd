"""The pipeline of the report: diffusers as it comes, in full precision."""

from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import logging

from benchmarks.systems import PROMPT, Draw, Drawing, Drawn, Mark, Setup
from generator.diffusion.sampling import schedulers


def load(setup: Setup) -> Draw:
    """Loads the model; a mark is a pass of the UNet, of which PNDM takes one more than steps."""
    logging.disable_progress_bar()
    pipeline = StableDiffusionPipeline.from_pretrained(setup.model, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    config = pipeline.scheduler.config

    def draw(drawing: Drawing, mark: Mark) -> Drawn:
        (seed,) = drawing.seeds
        latents: list[Any] = []

        def on_step(_pipeline: Any, _index: int, _timestep: Any, values: Any) -> Any:
            latents[:] = [values["latents"]]
            mark(None)
            return values

        width, height = drawing.size or (setup.side, setup.side)
        pipeline.scheduler = schedulers.create(drawing.preset.solver, config, drawing.steps)
        images = pipeline(
            PROMPT,
            width=width,
            height=height,
            num_inference_steps=drawing.steps,
            guidance_scale=drawing.preset.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(seed),
            output_type="np" if drawing.decode else "latent",
            callback_on_step_end=on_step,
        ).images
        if not drawing.decode:
            return Drawn()
        mark(None)
        return Drawn(latents[0][0].numpy(), images[0])

    return draw
