"""What the bot says about progress and endings."""

import pytest

from bot import texts
from bot.clients.documents import Job
from bot.texts.texts import endings
from protos.lookalike.db.v1 import db_pb2 as db

EN = texts.of("en")


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (Job("queued", position=0), "Next in line"),
        (Job("queued", position=1, eta_seconds=30), "Waiting: 1 picture before yours, about 30 s"),
        (
            Job("queued", position=4, eta_seconds=300),
            "Waiting: 4 pictures before yours, about 5 min",
        ),
        (Job("running", step=0, steps=20), "Painting ░░░░░░░░░░ 0%"),
        (Job("running", step=7, steps=20, eta_seconds=6.4), "Painting ▓▓▓░░░░░░░ 35%, about 6 s"),
        (Job("running", step=20, steps=20, eta_seconds=0), "Painting ▓▓▓▓▓▓▓▓▓▓ 100%, about 1 s"),
        (Job("running"), "Painting ░░░░░░░░░░ 0%"),
    ],
)
def test_progress(job: Job, text: str) -> None:
    assert EN.progress(job) == text


def test_a_caption_says_how_sure_it_is_and_who_speaks() -> None:
    said = db.Caption(text="a cat on a sofa", confidence=0.873, captioner="azure")
    assert EN.caption(said) == "a cat on a sofa\n\n(87% sure, says Azure AI Vision)"


def test_a_captioner_that_knows_no_confidence_claims_none() -> None:
    said = db.Caption(text="a cat on a sofa", captioner="blip")
    assert EN.caption(said) == "a cat on a sofa\n\n(says BLIP)"


def test_every_state_has_words() -> None:
    for name in db.GenerationState.DESCRIPTOR.values_by_name:
        if name != "GENERATION_STATE_UNSPECIFIED":
            item = db.Item(generation=db.Generation(state=name))
            assert EN.status_line(1, item, None).startswith("1. your photo: ")
            assert EN.no_picture(item)


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("a cat on a sofa", "a cat on a sofa"),
        ("word " * 40, f"{'word ' * 18}word…"),
        ("猫" * 200, f"{'猫' * 99}…"),
        (f"see {'x' * 200}", f"see {'x' * 95}…"),
    ],
)
def test_a_long_title_is_cut_between_words_if_there_are_any(title: str, shown: str) -> None:
    item = db.Item(photo=db.Photo(user_text=title))
    item.generation.state = db.GENERATION_STATE_DELIVERED
    line = EN.history_line(1, item)
    assert line.endswith(f": {shown}")
    assert len(shown) <= 100


def test_what_stands_under_a_picture_fits_whatever_its_model_is_called() -> None:
    text = EN.picture("🐈" * 1000, 2**63 - 1, "🎨" * 215)
    assert len(text.encode("utf-16-le")) // 2 <= 1024
    assert "seed 9223372036854775807, model 🎨" in text


def test_an_ending_that_nobody_thought_of_has_words_too() -> None:
    assert EN.ending("a-code-of-the-future") == EN.ending("internal-error")


def test_every_line_fits_a_message() -> None:
    assert all(len(EN.ending(code)) < 4096 for code in endings())


def test_how_much_is_kept_is_told_in_megabytes() -> None:
    assert EN.kept_line(12_345_678, 100_000_000) == "Kept of yours: 12 of 100 MB"
