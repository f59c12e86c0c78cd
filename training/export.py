"""Writes trained networks to a folder in diffusers layout, in half precision."""

from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTokenizer

from training.diffusion import Drawer, scheduler


def pipeline(drawer: Drawer, tokenizer: CLIPTokenizer, autoencoder: Any) -> Any:
    """The parts as a pipeline, as the generator loads it."""
    pipe = StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=drawer.text_encoder,
        tokenizer=tokenizer,
        unet=drawer.unet,
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def save(drawer: Drawer, tokenizer: CLIPTokenizer, autoencoder: Any, folder: Path) -> None:
    """Writes the model; afterwards the given parts are in half precision."""
    parts = (drawer.text_encoder, drawer.unet, autoencoder)
    for part in parts:
        part.to(dtype=torch.float16, memory_format=torch.contiguous_format)
    pipeline(drawer, tokenizer, autoencoder).save_pretrained(folder, safe_serialization=True)
