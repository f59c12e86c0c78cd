"""Tiny models of the real classes, saved in the layouts that models come in.

They draw noise within milliseconds a step.
"""

import functools
import io
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    LCMScheduler,
    PNDMScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion import pipeline_stable_diffusion_img2img as img2img
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
)

from generator.presets import Solver
from generator.tasks import Task
from training.words import byte_letters

torch.set_num_threads(2)

TOKENS = 77
"""A prompt's length in tokens, start and end included, as in every CLIP."""

OWN_SIDE = 256
"""The tiny models' own width and height in pixels."""

SIDE = 64
"""What tests ask for: it takes a sixteenth of the time."""

NUMPY_WARNING = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
"""What NumPy 2.4 says of PyTorch 2.13 when a diffusers scheduler makes an array of a tensor."""

Flags = Literal["everything", "nothing"]


def build(flags: Flags | None = None) -> Any:
    """A tiny `StableDiffusionPipeline`, with a safety checker that flags what `flags` says."""
    tokenizer = byte_tokenizer()
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=16,
            projection_dim=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=OWN_SIDE // 8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        attention_head_dim=2,
        norm_num_groups=4,
        cross_attention_dim=16,
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        sample_size=OWN_SIDE,
    )
    fill((text_encoder, unet, vae), seed=1)
    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
    )
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=flags and _checker(flags),
        feature_extractor=flags and CLIPImageProcessorPil(size=32, crop_size=32),
        requires_safety_checker=flags is not None,
    )


def reference(pipeline: Any, task: Task, solver: Solver) -> Image.Image:
    """What diffusers' own call draws with the same parts."""
    image: Image.Image = call_reference(pipeline, task, solver, "pil")[0]
    return image


def call_reference(pipeline: Any, task: Task, solver: Solver, output: str) -> Any:
    """What diffusers' own call gives, as pictures or latents.

    Image to image starts from the mean of the posterior, where diffusers takes a sample.
    """
    kind = StableDiffusionPipeline if task.init is None else StableDiffusionImg2ImgPipeline
    pipeline = kind(**pipeline.components, requires_safety_checker=False)
    pipeline.scheduler = _scheduler(solver, pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    given: dict[str, Any] = {"width": task.width, "height": task.height}
    if task.init is not None:
        given = {
            "image": Image.open(io.BytesIO(task.init.image)),
            "strength": task.init.strength,
        }
    mean = functools.partial(img2img.retrieve_latents, sample_mode="argmax")
    with mock.patch.object(img2img, "retrieve_latents", mean):
        return pipeline(
            task.prompt,
            negative_prompt=task.negative_prompt,
            num_inference_steps=task.steps,
            guidance_scale=task.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(task.seed),
            output_type=output,
            **given,
        ).images


def _scheduler(solver: Solver, config: Any) -> Any:
    match solver:
        case Solver.PNDM:
            return PNDMScheduler.from_config(config, skip_prk_steps=True)
        case Solver.DPM:
            return DPMSolverMultistepScheduler.from_config(
                config, algorithm_type="dpmsolver++", solver_order=2, use_karras_sigmas=True
            )
        case Solver.LCM:
            return LCMScheduler.from_config(config)


def byte_tokenizer() -> CLIPTokenizer:
    """A CLIP tokenizer without merges: a token is a byte, or the last byte of a word."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    letters = byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), start, end]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(
        vocab=vocabulary, merges=[], pad_token=end, unk_token=end, model_max_length=TOKENS
    )


def fill(modules: Iterable[nn.Module], seed: int) -> None:
    """Fills all weights from one generator, whatever the libraries' own initialisation is.

    Matrices are normal with variance 1 / inputs, so that a signal keeps its strength from layer
    to layer; scales of norms are 1 and biases 0.
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    for module in modules:
        for name, weight in sorted(module.named_parameters()):
            if weight.ndim > 1:
                values = torch.randn(weight.shape, generator=generator)
                weight.data = values / math.sqrt(weight[0].numel())
            else:
                weight.data.fill_(1.0 if name.endswith("weight") else 0.0)


def save(folder: Path, flags: Flags | None = None) -> Path:
    """Saves a tiny model as a folder in diffusers layout."""
    build(flags).save_pretrained(folder, safe_serialization=True)
    return folder


def save_checker(folder: Path, flags: Flags) -> Path:
    """Saves a safety checker alone."""
    _checker(flags).save_pretrained(folder, safe_serialization=True)
    return folder


def save_single_file(path: Path) -> Path:
    """Saves a tiny model as a single file, under the names of the first Stable Diffusion code."""
    pipeline = build()
    layers = pipeline.unet.config.layers_per_block
    tensors = {
        f"model.diffusion_model.{_old_unet_name(name, layers)}": tensor
        for name, tensor in pipeline.unet.state_dict().items()
    }
    blocks = len(pipeline.vae.config.block_out_channels)
    for name, tensor in pipeline.vae.state_dict().items():
        old = _old_vae_name(name, blocks)
        # Attention was made of 1 x 1 convolutions.
        is_projection = re.search(r"attn_1\.(q|k|v|proj_out)\.weight$", old)
        tensors[f"first_stage_model.{old}"] = tensor[..., None, None] if is_projection else tensor
    for name, tensor in pipeline.text_encoder.state_dict().items():
        tensors[f"cond_stage_model.transformer.text_model.{name}"] = tensor
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


def _checker(flags: Flags) -> Any:
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
    )
    checker = StableDiffusionSafetyChecker(
        CLIPConfig(vision_config=vision.to_dict(), projection_dim=8)
    )
    fill((checker,), seed=2)
    # A picture is flagged when its cosine with a concept, -1 to 1, exceeds that concept's number.
    checker.concept_embeds_weights.data.fill_(-2.0 if flags == "everything" else 2.0)
    return checker


_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}

_UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def _old_unet_name(name: str, layers: int) -> str:
    """A UNet tensor's name in the first code, which counts blocks without grouping them."""
    for new, old in _UNET.items():
        if name.startswith(f"{new}."):
            return name.replace(new, old, 1)
    if match := re.match(r"(.*resnets\.\d+)\.(\w+)\.(.*)", name):
        name = f"{match[1]}.{_RESNET[match[2]]}.{match[3]}"
    per_block = layers + 1

    def down(match: re.Match[str]) -> str:
        block, kind, layer = int(match[1]), match[2], int(match[3])
        if kind == "downsamplers":
            return f"input_blocks.{per_block * (block + 1)}.0.op."
        return f"input_blocks.{per_block * block + layer + 1}.{int(kind == 'attentions')}."

    def up(match: re.Match[str]) -> str:
        block, kind, layer = int(match[1]), match[2], int(match[3])
        if kind == "upsamplers":  # the tiny model's only one follows a block without attention
            return f"output_blocks.{per_block * block + layers}.1.conv."
        return f"output_blocks.{per_block * block + layer}.{int(kind == 'attentions')}."

    name = re.sub(r"^down_blocks\.(\d+)\.(\w+)\.(\d+)\.(?:conv\.)?", down, name)
    name = re.sub(r"^up_blocks\.(\d+)\.(\w+)\.(\d+)\.(?:conv\.)?", up, name)
    name = name.replace("mid_block.attentions.0", "middle_block.1")
    return re.sub(
        r"mid_block\.resnets\.(\d)", lambda match: f"middle_block.{2 * int(match[1])}", name
    )


_VAE = {
    "conv_norm_out": "norm_out",
    "conv_shortcut": "nin_shortcut",
    "mid_block.attentions.0": "mid.attn_1",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "attn_1.group_norm": "attn_1.norm",
    "attn_1.to_q": "attn_1.q",
    "attn_1.to_k": "attn_1.k",
    "attn_1.to_v": "attn_1.v",
    "attn_1.to_out.0": "attn_1.proj_out",
}


def _old_vae_name(name: str, blocks: int) -> str:
    """A VAE tensor's name in the first code, which counts the decoder's blocks backwards."""
    for new, old in _VAE.items():
        name = name.replace(new, old)
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)

    def up(match: re.Match[str]) -> str:
        block = blocks - 1 - int(match[1])
        return (
            f"up.{block}.upsample" if match[2] == "upsamplers" else f"up.{block}.block.{match[3]}"
        )

    return re.sub(r"up_blocks\.(\d)\.(resnets|upsamplers)\.(\d)", up, name)
