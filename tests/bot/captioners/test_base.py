"""bot.captioners.base: captions are fit for a chat and for XML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bot.captioners.base import MAX_CHARACTERS, CaptionerUnavailable, clean_text


@pytest.mark.parametrize(
    ("said", "cleaned"),
    [
        ("  a cat\n\ton a  sofa ", "a cat on a sofa"),
        ("a\u00a0cat\u2028here", "a cat here"),
        ("a \x00cat\x1b[31m\x7f\x9b", "a cat[31m"),
        ("a cat\ud800\ufffe\uffff", "a cat"),
        ("un café, 猫, 🐈", "un café, 猫, 🐈"),
        ("x" * 600, "x" * MAX_CHARACTERS),
        ("x" * 499 + " yes", "x" * 499),
    ],
)
def test_a_caption_is_cleaned(said: str, cleaned: str) -> None:
    assert clean_text(said) == cleaned


@pytest.mark.parametrize("said", ["", " \n\t", "\x00\x01", "\ud800"])
def test_no_caption_is_no_answer(said: str) -> None:
    with pytest.raises(CaptionerUnavailable, match="no caption"):
        clean_text(said)


@given(st.text(st.characters(codec=None), max_size=600))
def test_any_caption_is_xml(said: str) -> None:
    try:
        cleaned = clean_text(said)
    except CaptionerUnavailable:
        return
    element = etree.Element("prompt")
    element.text = cleaned
    assert etree.fromstring(etree.tostring(element)).text == cleaned
    assert len(cleaned) <= MAX_CHARACTERS
    assert cleaned == " ".join(cleaned.split())
