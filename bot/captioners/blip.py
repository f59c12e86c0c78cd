"""Captions by BLIP (Li et al., 2022, arXiv:2201.12086), if its weights are on this machine."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from PIL import Image

from bot.captioners.base import Caption, clean_text
from bot.captioners.local import Describe, LocalCaptioner

MODEL: Final = "Salesforce/blip-image-captioning-base"

WEIGHTS: Final = ("model.safetensors", "pytorch_model.bin")
"""One of them is needed; the first is taken where there are both."""

FILES: Final = (
    "README.md",
    "config.json",
    "preprocessor_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)
"""What else is fetched of it."""

_NEEDED: Final = ("config.json", "preprocessor_config.json", "tokenizer_config.json")
_MOST_TOKENS: Final = 40
_BEAMS: Final = 3


def available() -> bool:
    """Whether its packages are installed and its weights in the hub's cache; torch stays out."""
    return installed() and weights() is not None


def installed() -> bool:
    """Whether its packages are installed; none is imported."""
    return all(find_spec(name) for name in ("torch", "transformers"))


def create() -> LocalCaptioner:
    """The captioner; torch and transformers are imported when the first photo comes."""
    return LocalCaptioner("blip", _load)


def weights() -> Path | None:
    """The weights in the hub's cache (`HF_HUB_CACHE`), if all that belongs to them is there."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(MODEL, "config.json")
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    if not all((folder / name).exists() for name in _NEEDED):
        return None
    found = (folder / name for name in WEIGHTS)
    return next((path for path in found if path.exists()), None)


def _load() -> Describe:
    import torch
    from transformers import AutoTokenizer, BlipForConditionalGeneration
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
    from transformers.utils import logging

    file = weights()
    if file is None:
        raise FileNotFoundError(f"the weights of {MODEL} are gone from the hub's cache")
    folder = file.parent
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it has no types
    # BlipProcessor would warn that torchvision is missing; these are its two parts.
    processor = BlipImageProcessorPil.from_pretrained(folder, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    network = BlipForConditionalGeneration.from_pretrained(folder, local_files_only=True)
    # The other half is left for the generator, which often runs on the same machine.
    torch.set_num_threads(max(1, torch.get_num_threads() // 2))
    model = f"{MODEL}@{folder.name[:7]}"

    def describe(image: Image.Image) -> Caption:
        pixels = processor(images=image, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            tokens = network.generate(
                pixel_values=pixels, max_new_tokens=_MOST_TOKENS, num_beams=_BEAMS
            )
        # The first token is the one that starts the sentence.
        text = str(tokenizer.decode(tokens[0][1:], skip_special_tokens=True))
        return Caption(clean_text(text), None, model)

    return describe
