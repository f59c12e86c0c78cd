"""bot.captioners.offline and local: the packaged weights on photos that everybody knows."""

import asyncio
import re
import subprocess
import sys
from importlib import util

import pytest
import skimage.data
from PIL import Image

from bot.captioners import offline
from bot.captioners.base import Caption, CaptionerMisconfigured, PhotoRefused
from bot.captioners.local import Describe, LocalCaptioner
from tests.bot.captioners.photos import jpeg


def known(name: str) -> bytes:
    return jpeg(Image.fromarray(getattr(skimage.data, name)()))


@pytest.mark.parametrize(
    ("name", "text", "least"),
    [
        ("chelsea", "a photo of a tabby cat", 0.8),
        ("coffee", "a photo of a cup of espresso", 0.8),
        ("rocket", "a photo of a rocket", 0.3),
        ("camera", "a photo of a tripod", 0.8),
    ],
)
async def test_known_photos(name: str, text: str, least: float) -> None:
    captioner = offline.create()
    caption = await captioner.caption(known(name))
    await captioner.close()
    assert caption.text == text
    assert caption.confidence is not None
    assert least < caption.confidence <= 1
    assert caption.model == "efficientnet-lite0"
    assert caption.guesses[0] == text
    assert len(set(caption.guesses)) == 3


async def test_the_same_photo_is_told_the_same() -> None:
    captioner = offline.create()
    first = await captioner.caption(known("chelsea"))
    assert await captioner.caption(known("chelsea")) == first
    await captioner.close()


@pytest.mark.parametrize("size", [(50, 50), (50, 3000), (3000, 50), (223, 225)])
async def test_any_shape(size: tuple[int, int]) -> None:
    captioner = offline.create()
    caption = await captioner.caption(jpeg(Image.radial_gradient("L").resize(size)))
    await captioner.close()
    assert caption.text.startswith("a photo of ")
    assert caption.confidence is not None
    assert 0 < caption.confidence <= 1


def test_every_class_has_a_name_one_would_say() -> None:
    names = offline.names()
    assert len(names) == 1000
    for name in names:
        assert re.fullmatch(r"[a-z][A-Za-z' .-]+", name), name
        # "a unicycle", "a European polecat", "an hourglass": by sound, not by letter.
        vowel = re.match(r"an? (hour|[aeio](?<!one-)|[AEIO]|u(?!ni))", name)
        if name.startswith("an "):
            assert vowel, name
        elif name.startswith("a ") and not re.match(r"a (European|one-)", name):
            assert not vowel, name


@pytest.mark.slow
def test_its_packages_are_found_without_importing_them() -> None:
    program = (
        "import sys\n"
        "from bot import captioners\n"
        "made = captioners.create('offline', azure_endpoint=None, azure_key=None)\n"
        "assert made.name == 'offline'\n"
        "assert not {'torch', 'transformers', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_it_is_not_available_without_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert offline.available()
    find = util.find_spec
    monkeypatch.setattr(offline, "find_spec", lambda name: None if name == "torch" else find(name))
    assert not offline.available()


def by_brightness() -> Describe:
    return lambda image: Caption(f"{image.mode} {image.size}", None, "test")


async def test_what_is_no_photo_is_refused() -> None:
    captioner = LocalCaptioner("test", by_brightness)
    for data in (b"", b"no photo", jpeg(Image.new("RGB", (64, 64)))[:300]):
        with pytest.raises(PhotoRefused, match="cannot be read"):
            await captioner.caption(data)
    await captioner.close()


async def test_a_grey_photo_is_shown_as_rgb() -> None:
    captioner = LocalCaptioner("test", by_brightness)
    assert (await captioner.caption(jpeg(Image.new("L", (64, 50))))).text == "RGB (64, 50)"
    await captioner.close()


async def test_a_model_that_cannot_be_loaded_waits_for_the_operator() -> None:
    loads = []

    def load() -> Describe:
        loads.append(1)
        if len(loads) == 1:
            raise ImportError("No module named 'torch'")
        return by_brightness()

    captioner = LocalCaptioner("test", load)
    photo = jpeg(Image.new("RGB", (64, 50)))
    with pytest.raises(CaptionerMisconfigured, match="No module named 'torch'"):
        await captioner.caption(photo)
    assert (await captioner.caption(photo)).text == "RGB (64, 50)"
    await captioner.caption(photo)
    assert len(loads) == 2
    await captioner.close()


async def test_the_loop_goes_on_while_a_photo_is_looked_at() -> None:
    loop = asyncio.get_running_loop()
    seen = asyncio.Event()

    def load() -> Describe:
        def describe(_image: Image.Image) -> Caption:
            asyncio.run_coroutine_threadsafe(set_it(), loop).result(timeout=10)
            return Caption("done", None, "test")

        return describe

    async def set_it() -> None:
        seen.set()

    captioner = LocalCaptioner("test", load)
    caption = await captioner.caption(jpeg(Image.new("RGB", (64, 50))))
    assert (caption.text, seen.is_set()) == ("done", True)
    await captioner.close()
