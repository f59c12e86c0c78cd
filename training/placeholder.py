"""Makes the placeholder of the small model: the real layout, with fixed-seed random weights.

    python -m training.placeholder [FOLDER]

It draws 128x128 noise whose colours depend on prompt and seed. Every class is the one that a
trained model has, so that whatever loads and runs this folder also loads and runs the trained one
that replaces it. Running it again gives identical files.
"""

import argparse
import math
from collections.abc import Iterable
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.utils import logging as diffusers_logging
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

EMOJI = Path(__file__).parent.parent / "generator" / "models" / "emoji"
SEED = 20_261_122
START, END = "<|startoftext|>", "<|endoftext|>"
TOKENS = 77
"""A prompt's length in tokens, start and end included, as in every CLIP."""


def byte_tokenizer() -> CLIPTokenizer:
    """A CLIP tokenizer without merges: a token is a byte, or the last byte of a word.

    All 256 bytes have a token, so that no text is unknown to it.
    """
    letters = _byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), START, END]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(
        vocab=vocabulary, merges=[], pad_token=END, unk_token=END, model_max_length=TOKENS
    )


def _byte_letters() -> list[str]:
    """The printable character that stands for each byte in a byte-level vocabulary.

    Source: `bytes_to_unicode` of OpenAI's GPT-2 and CLIP encoders.
    """
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in printable)
    stand_ins = {byte: chr(0x100 + number) for number, byte in enumerate(others)}
    return [stand_ins.get(byte, chr(byte)) for byte in range(256)]


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


def build() -> StableDiffusionPipeline:
    """The placeholder as a pipeline in float32."""
    tokenizer = byte_tokenizer()
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            projection_dim=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=TOKENS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(32, 48, 48),
        layers_per_block=1,
        attention_head_dim=4,
        norm_num_groups=8,
        cross_attention_dim=64,
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 24, 32, 32),
        layers_per_block=1,
        norm_num_groups=8,
        latent_channels=4,
        sample_size=128,
    )
    fill((text_encoder, unet, vae), SEED)
    scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        use_karras_sigmas=True,
    )
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def save(folder: Path) -> None:
    """Writes the placeholder into `folder`, in half precision."""
    build().to(dtype=torch.float16).save_pretrained(folder, safe_serialization=True)


def main() -> None:
    """Writes the folder in the package, or another one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=EMOJI)
    diffusers_logging.set_verbosity_error()
    save(parser.parse_args().folder)


if __name__ == "__main__":
    main()
