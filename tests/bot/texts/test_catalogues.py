"""Languages are catalogues in a folder; whoever has none of them reads English."""

import struct
from pathlib import Path

import pytest

from bot import texts
from bot.texts import catalogues


def write_catalogue(folder: Path, language: str, messages: dict[str, str]) -> None:
    """A catalogue as GNU's msgfmt writes it (gettext's manual, "The Format of GNU MO Files")."""
    header = f"Language: {language}\nContent-Type: text/plain; charset=UTF-8\n"
    entries = sorted({"": header, **messages}.items())
    strings = [[entry[column].encode() + b"\0" for entry in entries] for column in (0, 1)]
    size = 8 * len(entries)
    start = 28 + 2 * size
    tables = b""
    for column in strings:
        for string in column:
            tables += struct.pack("<II", len(string) - 1, start)
            start += len(string)
    head = struct.pack("<7I", 0x950412DE, 0, len(entries), 28, 28 + size, 0, 28 + 2 * size)
    file = folder / language / "LC_MESSAGES" / "bot.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(head + tables + b"".join(strings[0] + strings[1]))


def test_a_catalogue_in_the_folder_is_a_language(tmp_path: Path) -> None:
    write_catalogue(tmp_path, "de", {"Cancelled.": "Abgebrochen."})
    write_catalogue(tmp_path, "pt_BR", {"Cancelled.": "Cancelado."})
    languages = catalogues.load(tmp_path)
    assert set(languages) == {"en", "de", "pt-br"}
    assert languages["de"].cancelled == "Abgebrochen."
    assert languages["de"].gone == languages["en"].gone, "what is not translated yet"


@pytest.mark.parametrize(
    ("language_code", "language"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-at", "de"),
        ("pt-br", "pt-br"),
        ("pt", "en"),
        ("fr", "en"),
        ("", "en"),
        (None, "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_who_reads_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language_code: str | None, language: str
) -> None:
    for name in ("de", "pt_BR"):
        write_catalogue(tmp_path, name, {})
    languages = catalogues.load(tmp_path)
    monkeypatch.setattr(catalogues, "LANGUAGES", languages)
    assert texts.of(language_code) is languages[language]
