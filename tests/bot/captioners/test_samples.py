"""The chat page's sample photos are ones of which the offline captioner is sure."""

import pytest

from bot.captioners import offline
from tests.docs.documents import ROOT

SAMPLES = ROOT / "sandbox" / "page" / "assets" / "samples"
NAMES = {"cat": "a tabby cat", "camera": "a tripod", "palace": "a palace"}

pytestmark = pytest.mark.slow


async def test_samples_are_named_with_certainty() -> None:
    captioner = offline.create()
    assert {path.stem for path in SAMPLES.glob("*.jpg")} == set(NAMES)
    for name, thing in NAMES.items():
        caption = await captioner.caption((SAMPLES / f"{name}.jpg").read_bytes())
        assert caption.text == f"a photo of {thing}"
        assert caption.confidence is not None
        assert caption.confidence > 0.5
    await captioner.close()
