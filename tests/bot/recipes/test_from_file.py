"""Recipes in files: ours come back as they were, and of anybody's only what can be painted."""

import json
import struct
import time
import zlib
from typing import Any

import pytest

from bot.recipes import png
from bot.recipes.from_file import FileRecipe, parse
from bot.recipes.prompts import compose
from dbservice import validation
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import picture

OURS: dict[str, Any] = {
    "model": "stable-diffusion-v1-5",
    "prompt": "a cat",
    "negative_prompt": "",
    "preset": "quick",
    "width": 512,
    "height": 704,
    "steps": 16,
    "guidance_scale": 7.5,
    "seed": 2**63 - 1,
    "dial": "dream",
    "style": "",
    "words": "a cat",
}
MAGIC = b"\x89PNG\r\n\x1a\n"


def some(told: dict[str, Any], words: str = "") -> FileRecipe:
    found = parse(told, words)
    assert found is not None
    return found


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def itxt(text: bytes, compressed: int = 0) -> bytes:
    return chunk(b"iTXt", b"lookalike\0" + bytes([compressed, 0, 0, 0]) + text)


def test_ours_comes_back_as_it_was() -> None:
    found = some(png.read(png.write(picture("PNG"), OURS)))
    given_back = {field.name: value for field, value in found.child.parameters.ListFields()}
    names = ("prompt", "preset", "width", "height", "steps", "guidance_scale", "seed")
    assert given_back == {name: OURS[name] for name in names}
    assert found.child.recipe == db.Recipe(dial=db.DIAL_DREAM, words="a cat")
    assert (found.model, found.had_photo) == ("stable-diffusion-v1-5", False)


@pytest.mark.parametrize("told", [{"dial": "twin"}, {"strength": 0.5}])
def test_what_began_with_a_photo_is_a_dream_and_known_to_be_none(told: dict[str, Any]) -> None:
    found = some(OURS | told)
    assert found.had_photo
    assert found.child.recipe.dial == db.DIAL_DREAM


@pytest.mark.parametrize("style", ["", "watercolour"])
@pytest.mark.parametrize("words", ["", "as a snowman", "as a snowman -- snow, ice", "-- dogs"])
@pytest.mark.parametrize("caption", ["", "a cat on a couch", "a cat " * 50])
def test_what_follows_from_it_keeps_words_style_and_caption(
    style: str, words: str, caption: str
) -> None:
    item = db.Item(photo=db.Photo(caption=db.Caption(text=caption)))
    item.generation.recipe.CopyFrom(db.Recipe(style=style, words=words))
    prompt, negative_prompt = compose(item)
    if not prompt:
        return
    told = {"prompt": prompt, "negative_prompt": negative_prompt, "style": style, "words": words}
    found = some(told).child
    assert found.recipe.style == style
    after = compose(db.Item(generation=db.Generation(recipe=found.recipe)))
    assert {*after[0].split(", ")} == {*prompt.split(", ")}
    assert after[1] == negative_prompt
    if len(prompt) < 200:  # else the caption came last, and is one of the words now
        assert after[0] == prompt


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"words": "a dog"}, "a cathedral"),
        ({"words": "a cat"}, "a cathedral"),
        ({"style": "watercolour"}, "a cathedral"),
        ({"negative_prompt": "fog"}, "a cathedral -- fog"),
    ],
)
def test_a_prompt_of_somebody_elses_is_words(told: dict[str, Any], words: str) -> None:
    found = some({"prompt": "a cathedral"} | told).child
    assert found.recipe == db.Recipe(dial=db.DIAL_DREAM, words=words)
    assert found.parameters.prompt == "a cathedral"


def test_other_words_replace_the_prompt_and_keep_the_rest() -> None:
    found = some(OURS | {"style": "oil"}, "a dog").child
    assert found.recipe == db.Recipe(dial=db.DIAL_DREAM, style="oil", words="a dog")
    assert not found.parameters.prompt
    assert found.parameters.seed == OURS["seed"]


ODD: list[object] = [None, True, -1, 0, 7, 65, 2**63, 10**400, 1.5, "", "512", "x" * 5000, [[1]]]
ODD += [{}, float("nan"), float("inf"), -float("inf"), "\ud800", "a\0b", "quick\n", "zebra"]


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_whatever_a_field_is_what_is_taken_can_be_stored(name: str, odd: object) -> None:
    check(parse(OURS | {name: odd}))
    check(parse(OURS | {name: odd}, "a dog"))


def check(found: FileRecipe | None) -> None:
    """Whether dbservice takes it, and all else can be shown."""
    if found is None:
        return
    child = found.child
    validation.check(
        db.CreateGenerationRequest(
            bot_id=1,
            chat_id=1,
            user_id=1,
            message_id=1,
            recipe=child.recipe,
            parameters=child.parameters,
        )
    )
    texts = (found.model, child.recipe.words, child.parameters.prompt, child.parameters.preset)
    assert all(printable(text) == text for text in texts)
    assert len(found.model) <= 200


@pytest.mark.parametrize("prompt", ["", "  \n", None, 7, ["a cat"], "\0"])
def test_without_a_prompt_it_is_none(prompt: object) -> None:
    assert parse({"prompt": prompt}) is None
    assert parse({"prompt": prompt}, "a dog") is None


RECIPE = json.dumps({"prompt": "a cat"}).encode()
BOMB = zlib.compress(b" " * 5_000_000 + RECIPE)

WITHOUT: dict[str, bytes] = {
    "nothing": b"",
    "no PNG": b"GIF89a" + itxt(RECIPE),
    "a signature alone": MAGIC,
    "no chunk of ours": picture("PNG"),
    "a chunk that is longer than the file": MAGIC + struct.pack(">I", 2**32 - 1) + b"iTXt",
    "one that is cut off": (MAGIC + itxt(RECIPE))[:-5],
    "one after the pixels": MAGIC + chunk(b"IDAT", b"") + itxt(RECIPE),
    "one after more than anybody looks at": MAGIC + chunk(b"tEXt", b"") * 100_000 + itxt(RECIPE),
    "one of 20 MB": MAGIC + itxt(b" " * 20_000_000 + RECIPE),
    "a compressed one": MAGIC + itxt(BOMB, compressed=1),
    "bytes that are no text": MAGIC + itxt(b"\xff\xfe\xfd"),
    "a text that is no JSON": MAGIC + itxt(b"{'prompt': 'a cat'}"),
    "JSON that is no object": MAGIC + itxt(b'["prompt"]'),
    "lists in lists in lists": MAGIC + itxt(b"[" * 60_000),
    "objects in objects": MAGIC + itxt(b'{"a":' * 12_000),
    "a number of 60,000 digits": MAGIC + itxt(b'{"seed":' + b"9" * 60_000 + b"}"),
}


@pytest.mark.parametrize("data", WITHOUT.values(), ids=WITHOUT)
def test_files_without_one_are_found_out_at_once(data: bytes) -> None:
    start = time.process_time()
    assert parse(png.read(data)) is None
    assert time.process_time() - start < 0.5


def test_what_others_add_to_a_file_is_no_matter() -> None:
    data = png.write(picture("PNG"), OURS)
    before = MAGIC + chunk(b"tEXt", b"Software\0somebody's") + chunk(b"eXIf", b"\0" * 9)
    assert png.read(before + data[len(MAGIC) :]) == OURS
