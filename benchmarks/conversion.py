"""Converts a model for OpenVINO's own pipeline, by OpenVINO's own converter."""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openvino
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from openvino_tokenizers import convert_tokenizer
from transformers import CLIPTextModel, CLIPTokenizer

_ANY = -1


class _Function(torch.nn.Module):
    """A part of the model as a function of named tensors, which become the inputs' names."""

    def __init__(self, part: torch.nn.Module, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.part = part  # its weights are this module's
        self.forward = function


def convert(model: Path, folder: Path) -> None:
    """Converts a model; the weights are kept in half precision.

    Args:
        model: a folder in diffusers layout.
        folder: in the layout that `openvino_genai.Text2ImagePipeline` reads; written whole or not
            at all.
    """
    half_made = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(half_made, ignore_errors=True)
    half_made.mkdir(parents=True)
    shutil.copy(model / "model_index.json", half_made)
    shutil.copytree(model / "scheduler", half_made / "scheduler")
    tokenizer = CLIPTokenizer.from_pretrained(model / "tokenizer")
    openvino.save_model(
        convert_tokenizer(tokenizer, with_detokenizer=False),
        half_made / "tokenizer" / "openvino_tokenizer.xml",
    )
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # dozens, of shapes that a trace takes for fixed
        _convert_text(model, half_made / "text_encoder")
        _convert_vae(model, half_made / "vae_decoder")
        _convert_unet(model, half_made / "unet")
    half_made.rename(folder)


def _convert_text(model: Path, folder: Path) -> None:
    part: Any = CLIPTextModel.from_pretrained(model / "text_encoder", dtype=torch.float32)
    part.eval()
    tokens = part.config.max_position_embeddings

    def encode(input_ids: torch.Tensor) -> Any:
        return part(input_ids, return_dict=False)[0]

    examples = {"input_ids": torch.ones((2, tokens), dtype=torch.int64)}
    _save(_Function(part, encode), examples, {"input_ids": [_ANY, tokens]}, folder)
    part.config.save_pretrained(folder)


def _convert_vae(model: Path, folder: Path) -> None:
    part = AutoencoderKL.from_pretrained(model / "vae", dtype=torch.float32).eval()
    channels = part.config.latent_channels

    def decode(latent_sample: torch.Tensor) -> Any:
        return part.decode(latent_sample, return_dict=False)[0]

    examples = {"latent_sample": torch.zeros(1, channels, 8, 8)}
    _save(
        _Function(part, decode), examples, {"latent_sample": [_ANY, channels, _ANY, _ANY]}, folder
    )
    part.save_config(folder)


def _convert_unet(model: Path, folder: Path) -> None:
    part = UNet2DConditionModel.from_pretrained(model / "unet", dtype=torch.float32).eval()
    channels, features = part.config.in_channels, part.config.cross_attention_dim

    def predict(
        sample: torch.Tensor, timestep: torch.Tensor, encoder_hidden_states: torch.Tensor
    ) -> Any:
        return part(sample, timestep, encoder_hidden_states, return_dict=False)[0]

    examples = {
        "sample": torch.zeros(2, channels, 8, 8),
        "timestep": torch.tensor([1]),
        "encoder_hidden_states": torch.zeros(2, 77, features),
    }
    shapes = {
        "sample": [_ANY, channels, _ANY, _ANY],
        "timestep": [_ANY],
        "encoder_hidden_states": [_ANY, _ANY, features],
    }
    _save(_Function(part, predict), examples, shapes, folder)
    part.save_config(folder)


def _save(
    function: _Function,
    examples: dict[str, torch.Tensor],
    shapes: dict[str, list[int]],
    folder: Path,
) -> None:
    converted = openvino.convert_model(function, example_input=examples, input=list(shapes.items()))
    folder.mkdir()
    openvino.save_model(converted, folder / "openvino_model.xml")
