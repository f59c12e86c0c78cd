"""What the bot says about progress and endings."""

import datetime as dt
import zoneinfo
from typing import Any

import pytest

from bot import texts
from bot.clients.documents import Job
from bot.recipes.from_file import parse
from bot.texts.tables import ENDINGS
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


def test_an_unsure_captioner_says_so() -> None:
    said = db.Caption(text="a photo of a football helmet", confidence=0.3499, captioner="offline")
    shown = "Not sure. Perhaps a football helmet?\n\n(35% sure, says the offline captioner)"
    assert EN.caption(said) == shown
    said.confidence = 0.35
    assert EN.caption(said).startswith("a photo of a football helmet\n\n(35% sure")


def test_what_somebody_says_of_their_photo_is_said_to_be_theirs() -> None:
    said = db.Caption(text="an astronaut", captioner="user")
    assert EN.caption(said) == "an astronaut\n\n(as you told me)"


def test_every_state_has_words() -> None:
    for name in db.GenerationState.DESCRIPTOR.values_by_name:
        if name != "GENERATION_STATE_UNSPECIFIED":
            item = pictured("")
            item.generation.MergeFrom(db.Generation(state=name))
            assert EN.status_line(1, item, None).startswith("1. your photo\n")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("a cat on a sofa", "a cat on a sofa"),
        ("word " * 40, f"{'word ' * 10}word…"),
        ("猫" * 200, f"{'猫' * 59}…"),
        (f"see {'x' * 200}", f"see {'x' * 55}…"),
    ],
)
def test_a_long_title_is_cut_between_words_if_there_are_any(title: str, shown: str) -> None:
    item = pictured("")
    item.photo.user_text = title
    item.generation.state = db.GENERATION_STATE_DELIVERED
    line = EN.status_line(1, item, None)
    assert line == f"1. {shown}\nDone"
    assert len(shown) <= 60


def test_the_status_says_what_a_picture_becomes_and_how_far_it_is() -> None:
    item = pictured("a cat", words="at night -- people", dial=db.DIAL_COUSIN, style="watercolour")
    line = EN.status_line(2, item, Job("running", step=7, steps=20, eta_seconds=6.4))
    assert line == "2. at night, a cat → Cousin · watercolour\nPainting ▓▓▓░░░░░░░ 35%, about 6 s"


def pictured(caption: str, **recipe: Any) -> db.Item:
    """A picture of a photo with this caption."""
    item = db.Item(photo=db.Photo(file_id="f", caption=db.Caption(text=caption)))
    item.generation.recipe.CopyFrom(db.Recipe(**{"dial": db.DIAL_DREAM} | recipe))
    item.generation.picture.CopyFrom(db.Picture(seed=7, model="stable-diffusion-v1-5"))
    return item


@pytest.mark.parametrize(
    ("recipe", "line"),
    [
        ({}, ""),
        ({"style": "oil"}, "Oil painting"),
        ({"dial": db.DIAL_COUSIN}, "Cousin: your photo's light and layout, painted anew"),
        ({"dial": db.DIAL_TWIN, "style": "watercolour"}, "Twin · watercolour"),
        ({"style": "one that is gone"}, "One that is gone"),
    ],
)
def test_under_a_picture_is_the_sentence_and_one_line(recipe: dict[str, Any], line: str) -> None:
    text = EN.pictures.picture(pictured("a cat", **recipe))
    assert text == (f"a cat\n\n{line}" if line else "a cat")


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("2026-03-03 11:59:30", "Just now"),
        ("2026-03-03 12:00:30", "Just now"),  # the clock was set
        ("2026-03-03 11:58:30", "1 minute ago"),
        ("2026-03-03 11:00:30", "59 minutes ago"),
        ("2026-03-02 13:00:00", "23 hours ago"),
        ("2026-03-02 12:00:00", "Yesterday"),
        ("2026-03-01 23:59:59", "On 1 March"),
        ("2025-12-31 12:00:00", "On 31 December 2025"),
    ],
)
def test_the_card_of_the_history_says_when_in_words(then: str, words: str) -> None:
    item, now = pictured("a cat"), dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)
    item.generation.created_at.FromDatetime(dt.datetime.fromisoformat(then))
    assert EN.pictures.card(item, now) == f"a cat\n\n{words}"


@pytest.mark.parametrize(
    ("zone", "words"), [("Asia/Tokyo", "On 1 March"), ("America/New_York", "Yesterday")]
)
def test_days_begin_at_midnight_where_its_reader_is(zone: str, words: str) -> None:
    item = pictured("a cat")
    item.generation.created_at.FromDatetime(dt.datetime(2026, 3, 1, 14, tzinfo=dt.UTC))
    now = dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC).astimezone(zoneinfo.ZoneInfo(zone))
    assert EN.pictures.card(item, now) == f"a cat\n\n{words}"


def test_the_card_says_in_few_words_how_it_was_painted() -> None:
    item = pictured("a cat", dial=db.DIAL_COUSIN, style="watercolour")
    text = EN.pictures.card(item, item.generation.created_at.ToDatetime(dt.UTC))
    assert text == "a cat\n\nCousin · watercolour · just now"


def test_a_small_model_promises_no_style() -> None:
    item = pictured("a cat", dial=db.DIAL_COUSIN, style="oil")
    item.generation.picture.model = "emoji"
    line = EN.pictures.picture(item).splitlines()[-1]
    assert line == "Cousin · oil painting, as far as this small model can"


def test_what_stands_under_a_picture_fits_whatever_was_said() -> None:
    text = EN.pictures.picture(pictured("🐈" * 1000, style="x" * 64, dial=db.DIAL_TWIN))
    assert len(text.encode("utf-16-le")) // 2 <= 1024


def test_a_recipe_says_all_that_made_a_picture() -> None:
    item = pictured("a cat", dial=db.DIAL_TWIN, style="oil", words="at night")
    item.generation.parameters.prompt = "at night, oil painting, a cat"
    item.generation.picture.model = "emoji"
    item.generation.picture.image.width = item.generation.picture.image.height = 256
    text = EN.pictures.recipe(item, {"steps": 20, "strength": 0.35})
    assert text.splitlines() == [
        "Prompt: at night, oil painting, a cat",
        "Your words: at night",
        "Dial: Twin",
        "Style: oil painting",
        "Seed: 7",
        "Steps: 20",
        "Strength: 0.35",
        "Size: 256 x 256",
        "Model: emoji, which draws 64 x 64 pixels; enlarged",
    ]


def test_an_offer_of_a_files_recipe_fits_whatever_the_file_says() -> None:
    told: dict[str, Any] = dict.fromkeys(("prompt", "model", "words"), "🐈" * 1000)
    told |= {"dial": "twin", "style": "oil", "seed": 2**62, "steps": 150}
    recipe = parse(told | {"width": 1024, "height": 1024})
    assert recipe is not None
    text = EN.pictures.offer_of_file(recipe)
    assert len(text.encode("utf-16-le")) // 2 <= 4096
    assert text.splitlines()[-2:] == [
        "",
        "It began with a photo, which the file doesn't have: I'd paint a Dream.",
    ]


def test_an_ending_that_nobody_thought_of_has_words_too() -> None:
    assert EN.ending("a-code-of-the-future") == EN.ending("internal-error")


def test_every_line_fits_a_message() -> None:
    assert all(len(EN.ending(code)) < 4096 for code in ENDINGS)


def test_how_much_is_kept_is_told_in_megabytes() -> None:
    assert EN.kept_line(12_345_678, 100_000_000) == "Kept of yours: 12 of 100 MB"
