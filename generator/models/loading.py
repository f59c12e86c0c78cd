"""Loads a model's pipeline from wherever it is found."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from diffusers.utils import logging as diffusers_logging
from safetensors import safe_open
from transformers import CLIPImageProcessorPil, CLIPTextModel

from generator.models import EMOJI, SD15, ModelFormat, Source, layout
from lookalike.errors import StartError

_CHECKERS = (
    ("CompVis/stable-diffusion-safety-checker", ""),
    ("stable-diffusion-v1-5/stable-diffusion-v1-5", "safety_checker"),
)
"""Where the safety checker of Stable Diffusion 1.x is found: repository and folder."""

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""What the allocators of CUDA, MPS and the CPU say."""

_log = logging.getLogger(__name__)


_SMALL = 30_000_000
"""Parameters; in a model with fewer, calling a layer takes longer than computing it."""


def is_small(source: Source) -> bool:
    """Whether a model is a small one; False if it cannot be read, which `load` explains better."""
    try:
        match source.format:
            case ModelFormat.FOLDER:
                files = layout.weights(Path(source.location), half=False)
            case ModelFormat.FILE:
                files = [Path(source.location)]
            case ModelFormat.HUB:
                files = layout.weights(_cached(source), half=False)
        return layout.count_numbers(files) < _SMALL
    except Exception as error:  # noqa: BLE001, a damaged model shows in a dozen types of three libraries
        _log.debug("Counting %s: %s", source.location, type(error).__name__)
        return False


def load(source: Source, dtype: torch.dtype) -> Any:
    """Loads a pipeline, with its safety checker if there is one.

    Nothing is downloaded: a model on the hub has to be in the local cache.

    Args:
        source: where the model is found.
        dtype: of the weights in memory.

    Returns:
        A `StableDiffusionPipeline` on the CPU.

    Raises:
        StartError: the model is missing, incomplete, damaged or of another kind.
    """
    diffusers_logging.disable_progress_bar()
    match source.format:
        case ModelFormat.FOLDER:
            pipeline = _from_folder(Path(source.location), source, dtype)
        case ModelFormat.FILE:
            pipeline = _from_file(source, dtype)
        case ModelFormat.HUB:
            pipeline = _from_folder(_cached(source), source, dtype)
    modules = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    if any(weight.is_meta for part in modules for weight in part.parameters()):
        raise _unusable(source, ValueError("tensors are missing"))
    if pipeline.unet.config.in_channels != pipeline.vae.config.latent_channels:
        raise StartError(
            f"GENERATOR_MODEL {source.location} does not draw from a prompt alone (it may be an"
            " inpainting model); name a text-to-image model."
        )
    if pipeline.safety_checker is None and source.location != str(EMOJI):
        _log.warning("The model %s has no safety checker: no picture is refused.", source.name)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def load_unet(source: Source, dtype: torch.dtype) -> Any:
    """Loads a UNet of its own from a model that has been loaded before.

    Args:
        source: where the model is found.
        dtype: of the weights in memory.

    Returns:
        A `UNet2DConditionModel` on the CPU.

    Raises:
        StartError: the model is not there any more, or does not fit memory beside the first UNet.
    """
    folder = _cached(source) if source.format is ModelFormat.HUB else Path(source.location)
    try:
        if source.format is ModelFormat.FILE:
            return UNet2DConditionModel.from_single_file(
                source.location,
                config=str(SD15),
                subfolder="unet",
                dtype=dtype,
                local_files_only=True,
            )
        return _read_unet(folder, dtype)
    except Exception as error:  # noqa: BLE001, a damaged model shows in a dozen types of three libraries
        raise _unusable(source, error) from None


def is_out_of_memory(error: Exception) -> bool:
    """Whether an allocator gave up; the CPU's raises a plain RuntimeError."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(
        message in str(error) for message in _NO_MEMORY
    )


def _from_folder(folder: Path, source: Source, dtype: torch.dtype) -> Any:
    if problem := layout.problem(folder):
        raise StartError(f"GENERATOR_MODEL {source.location} cannot be loaded: {problem}.")
    options = {
        "dtype": dtype,
        "variant": layout.variant(folder, half=_is_half(dtype)),
        "use_safetensors": True,
        "local_files_only": True,
    }
    parts = {"text_encoder": CLIPTextModel, "safety_checker": StableDiffusionSafetyChecker}
    try:
        return StableDiffusionPipeline.from_pretrained(
            folder,
            requires_safety_checker=False,
            unet=_read_unet(folder, dtype),
            **options,
            **{
                name: _load_whole(kind, folder, subfolder=name, **options)
                for name, kind in parts.items()
                if name in layout.parts(folder)
            },
        )
    except Exception as error:  # noqa: BLE001, a damaged model shows in a dozen types of three libraries
        raise _unusable(source, error) from None


def _cached(source: Source) -> Path:
    folder = layout.cached(source.location)
    if folder is None:
        raise StartError(
            f"GENERATOR_MODEL {source.location} is not on this machine, at least not whole; fetch"
            " it with `lookalike download`, or name a folder, a .safetensors file or emoji."
        )
    return folder


def _read_unet(folder: Path, dtype: torch.dtype) -> Any:
    """Reads the UNet, the largest part, tensor by tensor, which takes no more memory than it keeps.

    The libraries' way maps the file, 3.4 GB where it is in full precision, which counts as the
    process's memory as long as any tensor of it is used.
    """
    part = folder / "unet"
    config = UNet2DConditionModel.load_config(part, local_files_only=True)
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(config)
    tensors: dict[str, torch.Tensor] = {}
    for file in layout.weights(folder, half=_is_half(dtype)):
        if file.parent == part:
            tensors.update(_read(file, dtype))
    unet.load_state_dict(tensors, assign=True)
    return unet.eval().requires_grad_(requires_grad=False)


def _read(file: Path, dtype: torch.dtype) -> Iterator[tuple[str, torch.Tensor]]:
    with safe_open(file, "pt") as weights:
        names = list(weights.keys())
    for name in names:
        with safe_open(file, "pt") as weights:  # reopened, so that the last mapping is released
            yield name, weights.get_tensor(name).to(dtype, copy=True)


def _is_half(dtype: torch.dtype) -> bool:
    """Whether weights in half precision will do: they are half as much to read and to keep."""
    return dtype != torch.float32


def _load_whole(kind: Any, location: Any, **options: Any) -> Any:
    """Loads a transformers model; left alone, it would make up missing weights at random."""
    part, report = kind.from_pretrained(location, output_loading_info=True, **options)
    if missing := report["missing_keys"]:
        raise ValueError(f"{len(missing)} tensors are missing in {kind.__name__}")
    return part


def _from_file(source: Source, dtype: torch.dtype) -> Any:
    checker = _cached_checker(dtype)
    try:
        return StableDiffusionPipeline.from_single_file(
            source.location,
            config=str(SD15),
            dtype=dtype,
            local_files_only=True,
            requires_safety_checker=False,
            safety_checker=checker,
            feature_extractor=checker
            and CLIPImageProcessorPil.from_pretrained(
                SD15, subfolder="feature_extractor", local_files_only=True
            ),
        )
    except Exception as error:  # noqa: BLE001, a damaged model shows in a dozen types of three libraries
        raise _unusable(source, error) from None


def _unusable(source: Source, error: Exception) -> StartError:
    _log.error("Loading %s: %s: %s", source.location, type(error).__name__, _first_line(error))
    if is_out_of_memory(error):
        sentence = f"GENERATOR_MODEL {source.location} does not fit this machine's memory."
        return StartError(sentence, passing=True)  # others may give some back
    return StartError(
        f"GENERATOR_MODEL {source.location} is damaged, incomplete or no Stable Diffusion 1 model;"
        " fetch it again or name another."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or "no message").splitlines()[0].rstrip(".")


def _cached_checker(dtype: torch.dtype) -> Any:
    """The safety checker in the local hub cache, or None: a single file never brings its own."""
    for repository, subfolder in _CHECKERS:
        try:
            return _load_whole(
                StableDiffusionSafetyChecker,
                repository,
                subfolder=subfolder,
                dtype=dtype,
                use_safetensors=True,
                local_files_only=True,
            )
        except OSError:  # not in the cache
            continue
        except Exception as error:  # noqa: BLE001, as above; a damaged checker must not count as none
            _log.error("Loading %s: %s", repository, type(error).__name__)
            raise StartError(
                f"The safety checker {repository} in the hub cache is damaged; remove it there."
            ) from None
    return None
