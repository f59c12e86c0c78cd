"""bot.captioners.create: one captioner, chosen at start and said once."""

import logging

import pytest

from bot import captioners
from bot.captioners import blip, offline
from lookalike.errors import StartError

ENDPOINT = "https://cats.cognitiveservices.azure.com"


def set_up(
    monkeypatch: pytest.MonkeyPatch, *, with_blip: bool = False, with_offline: bool = True
) -> None:
    monkeypatch.setattr(blip, "available", lambda: with_blip)
    monkeypatch.setattr(offline, "available", lambda: with_offline)


@pytest.mark.parametrize(
    ("name", "key", "with_blip", "chosen"),
    [
        ("auto", "key", True, "azure"),
        ("auto", None, True, "blip"),
        ("auto", None, False, "offline"),
        ("auto", "", False, "offline"),
        ("azure", "key", False, "azure"),
        ("blip", "key", True, "blip"),
        ("offline", "key", True, "offline"),
    ],
)
async def test_who_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    key: str | None,
    with_blip: bool,  # noqa: FBT001, a table's column
    chosen: str,
) -> None:
    set_up(monkeypatch, with_blip=with_blip)
    caplog.set_level(logging.INFO)
    captioner = captioners.create(name, azure_endpoint=ENDPOINT, azure_key=key)
    await captioner.close()
    assert captioner.name == chosen
    said = [r.getMessage() for r in caplog.records if r.name == "bot.captioners"]
    assert said == [f"Captions come from {chosen} (CAPTIONER={name})."]


@pytest.mark.parametrize(
    ("name", "endpoint", "key", "words"),
    [
        ("azure", None, "key", "AZURE_VISION_ENDPOINT"),
        ("azure", ENDPOINT, None, "AZURE_VISION_KEY"),
        ("auto", None, "key", "AZURE_VISION_ENDPOINT"),
        ("blip", None, None, "lookalike download --captions"),
        ("offline", None, None, "lookalike[offline]"),
        ("auto", None, None, "lookalike[offline]"),
        ("dall-e", None, None, "no captioner 'dall-e'"),
    ],
)
def test_what_is_missing_is_said(
    monkeypatch: pytest.MonkeyPatch, name: str, endpoint: str | None, key: str | None, words: str
) -> None:
    set_up(monkeypatch, with_offline=False)
    with pytest.raises(StartError) as caught:
        captioners.create(name, azure_endpoint=endpoint, azure_key=key)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")
