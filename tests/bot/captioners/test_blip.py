"""bot.captioners.blip: a tiny BLIP in a hub cache of the test's own, through the real code."""

from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from PIL import Image
from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from bot.captioners import blip
from bot.captioners.base import CaptionerMisconfigured, CaptionerUnavailable
from tests.bot.captioners.photos import jpeg

pytestmark = pytest.mark.slow

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "sofa"]
START = len(WORDS)  # as in the real one, the token that starts a sentence is not in the vocabulary
PHOTO = jpeg(Image.radial_gradient("L").resize((90, 60)))


@pytest.fixture(autouse=True)
def two_threads() -> None:
    torch.set_num_threads(2)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def snapshot(hub: Path) -> Path:
    """The folder of the model in the cache, where the hub would put it."""
    model = hub / "models--Salesforce--blip-image-captioning-base"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text(COMMIT)
    folder = model / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    return folder


def save_tiny(folder: Path, favourite: str) -> None:
    """A BLIP of a few thousand parameters that says one word again and again."""
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2}
    config = BlipConfig(
        text_config={
            **size,
            **heads,
            "vocab_size": len(WORDS) + 2,
            "encoder_hidden_size": 16,
            "bos_token_id": START,
            "sep_token_id": WORDS.index("[SEP]"),
            "eos_token_id": WORDS.index("[SEP]"),
            "pad_token_id": WORDS.index("[PAD]"),
        },
        vision_config={**size, **heads, "image_size": 32, "patch_size": 16},
        projection_dim=16,
    )
    torch.manual_seed(0)
    network = BlipForConditionalGeneration(config)
    with torch.no_grad():
        network.text_decoder.cls.predictions.bias[WORDS.index(favourite)] = 100.0
    network.save_pretrained(folder)
    BlipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(WORDS))
    BertTokenizer(str(vocabulary)).save_pretrained(folder)


async def test_a_caption(hub: Path) -> None:
    save_tiny(snapshot(hub), "cat")
    assert blip.available()
    captioner = blip.create()
    caption = await captioner.caption(PHOTO)
    await captioner.close()
    assert set(caption.text.split()) == {"cat"}
    assert caption.confidence is None
    assert caption.model == "Salesforce/blip-image-captioning-base@0123456"
    assert captioner.name == "blip"


async def test_no_words_are_no_caption(hub: Path) -> None:
    save_tiny(snapshot(hub), "[SEP]")
    captioner = blip.create()
    with pytest.raises(CaptionerUnavailable, match="no caption"):
        await captioner.caption(PHOTO)
    await captioner.close()


def test_it_is_not_available_without_weights(hub: Path) -> None:
    assert not blip.available()
    folder = snapshot(hub)
    assert not blip.available()
    save_tiny(folder, "cat")
    assert blip.available()
    (folder / "model.safetensors").unlink()
    assert not blip.available()


async def test_broken_weights_wait_for_the_operator(hub: Path) -> None:
    folder = snapshot(hub)
    save_tiny(folder, "cat")
    (folder / "model.safetensors").write_bytes(b"nonsense")
    captioner = blip.create()
    with pytest.raises(CaptionerMisconfigured, match="blip captioner cannot be loaded"):
        await captioner.caption(PHOTO)
    await captioner.close()


@pytest.mark.usefixtures("hub")
async def test_weights_that_are_gone_wait_for_the_operator() -> None:
    captioner = blip.create()
    with pytest.raises(CaptionerMisconfigured, match="gone from the hub's cache"):
        await captioner.caption(PHOTO)
    await captioner.close()
