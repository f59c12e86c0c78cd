import json
from pathlib import Path

import pytest

from bot.captioners import offline
from training.concepts import everything, imagenet, numbers, reviewed
from training.keywords import keywords

pytestmark = pytest.mark.slow


@pytest.fixture
def emojibase(tmp_path: Path) -> Path:
    """The reviewed concepts without keywords but for a few, and some other emoji."""
    tags = {
        "koala": ["animal", "australia", "under"],
        "panda": ["animal", "bamboo"],
        "spider web": ["spider", "web"],
        "church": ["bless", "money"],
    }
    entries: list[dict[str, object]] = [
        {"label": name, "hexcode": f"1F{number:03X}", "group": 3, "tags": tags.get(name, [])}
        for number, name in enumerate(numbers(reviewed()))
    ]
    entries += [
        {"label": "child", "hexcode": "2F000", "group": 1, "tags": ["grandchild"]},
        {"label": "no art", "hexcode": "2F001", "group": 1},
        {"label": "a flag", "hexcode": "2F002", "group": 9},
        {"label": "regional indicator A", "hexcode": "2F003"},
    ]
    entries += [{"label": bank, "hexcode": "2F004", "tags": ["money"]} for bank in "xyz"]
    file = tmp_path / "en" / "data.json"
    file.parent.mkdir()
    file.write_text(json.dumps(entries), encoding="utf-8")
    return tmp_path


def test_every_label_of_the_offline_captioner_has_a_concept() -> None:
    table = imagenet()

    assert set(table) == set(offline.names())
    assert set(table.values()) <= set(numbers(reviewed()))


def test_concepts_are_many_and_their_words_differ() -> None:
    words = [word for concept in reviewed() for word in (concept.name, *concept.words)]

    assert len(reviewed()) >= 300
    assert len(words) == len(set(words))


def test_letters_are_not_mirrored() -> None:
    mirrors = {concept.name: concept.mirrors for concept in reviewed()}

    assert (mirrors["stop sign"], mirrors["taxi"], mirrors["cat"]) == (False, False, True)


def test_the_photos_of_the_front_page_have_their_concepts() -> None:
    table = imagenet()

    assert table["a tabby cat"] == "cat"
    assert table["a moped"] == table["a Vespa scooter"] == "motor scooter"
    assert table["a palace"] == "classical building"


def test_everything_adds_what_has_a_name_and_art_and_is_no_flag(emojibase: Path) -> None:
    found = everything(emojibase, lambda code: code != "2f001" and code < "2f003")

    assert [concept.name for concept in found] == [
        *(concept.name for concept in reviewed()),
        "child",
    ]
    boy = found[numbers(found)["boy"]]
    assert "child" not in boy.words
    assert "little boy" in boy.words
    assert not found[-1].mirrors


def test_a_keyword_means_one_concept_and_nothing_else(emojibase: Path) -> None:
    places = numbers(reviewed())

    found = keywords(emojibase, reviewed())

    assert found[places["koala"]] == ("australia",)
    assert found[places["panda"]] == ("bamboo",)
    assert found[places["spider web"]] == ()
    assert found[places["church"]] == ("bless",)
    assert sum(map(len, found)) == 3
