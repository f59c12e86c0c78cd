"""The model that is measured: Stable Diffusion 1.5 as it was published, with random weights.

Speed depends on the architecture and not on what the weights are. They are made once, from a seed,
with weights of LCM-LoRA's shape beside them.
"""

import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from generator.models import SD15

_LORA_RANK = 64
"""Of the published LCM-LoRA."""

_LORA_SIZE = 0.01
"""A change that the picture survives."""


def make(folder: Path) -> None:
    """Makes the model in diffusers layout.

    The weights are what the libraries begin a training with. The files are those of the published
    repository, in full and in half precision, so that every loader takes what it would take there.
    Both hold the same numbers, rounded to half precision. There is no safety checker.

    Args:
        folder: is written whole or not at all.
    """
    torch.manual_seed(1)
    unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(SD15 / "unet"))
    vae = AutoencoderKL.from_config(AutoencoderKL.load_config(SD15 / "vae"))
    text = CLIPTextModel(CLIPTextConfig.from_pretrained(SD15 / "text_encoder"))
    for part in (text, unet, vae):
        for weight in part.parameters():
            weight.data = weight.data.half().float()
    config = PNDMScheduler.load_config(SD15 / "scheduler")
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=CLIPTokenizer.from_pretrained(SD15 / "tokenizer"),
        unet=unet,
        scheduler=PNDMScheduler.from_config(config, skip_prk_steps=True),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    half_made = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(half_made, ignore_errors=True)
    pipeline.to(dtype=torch.float16).save_pretrained(half_made, variant="fp16")
    # Last, since configurations say in which precision the weights were saved.
    pipeline.to(dtype=torch.float32).save_pretrained(half_made)
    half_made.rename(folder)


def make_lora(model: Path, file: Path) -> None:
    """Makes weights like those of LCM-LoRA for a model.

    Args:
        model: a folder in diffusers layout.
        file: a .safetensors file, written whole or not at all.
    """
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(model / "unet"))
    generator = torch.Generator("cpu").manual_seed(2)
    tensors = {}
    for name, layer in unet.named_modules():
        # What LCM-LoRA changes: attention, feed-forward, and the convolutions of ResNets.
        if "block" not in name or not isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
            continue
        stem = f"lora_unet_{name.replace('.', '_')}"
        out, inner, *kernel = layer.weight.shape
        down = torch.randn((_LORA_RANK, inner, *kernel), generator=generator)
        up = torch.randn((out, _LORA_RANK, *(1 for _ in kernel)), generator=generator)
        tensors[f"{stem}.lora_down.weight"] = (down * _LORA_SIZE).half()
        tensors[f"{stem}.lora_up.weight"] = (up * _LORA_SIZE).half()
        tensors[f"{stem}.alpha"] = torch.tensor(float(_LORA_RANK))
    half_made = file.with_suffix(".part")
    save_file(tensors, half_made)
    half_made.rename(file)
