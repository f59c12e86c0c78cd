"""Every language says everything, within Telegram's limits, with whatever is filled in."""

import shutil
from pathlib import Path

import pytest

from bot.callbacks import Menu, language_data, menu_data, zone_data
from bot.texts import catalogues
from bot.zones import available
from tests.bot.texts.rendered import rendered
from tools import texts

LANGUAGES = ("de", "en", "lt", "nl")


def test_the_catalogues_are_whole() -> None:
    found = [*texts.problems(texts.LOCALES, texts.extract())]
    assert not found, "\n".join(["Run `make texts` and translate:", *found])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_fits_whatever_is_filled_in(language: str) -> None:
    said = {*rendered(catalogues.LANGUAGES[language])}
    assert len({each.name for each in said}) > 80
    for each in said:
        assert each.length <= each.most, each
        assert "{" not in each.text.replace("{braces}", ""), each


def test_the_languages_are_these() -> None:
    assert {*catalogues.LANGUAGES} == {*LANGUAGES}
    names = [each.settings.language for each in catalogues.LANGUAGES.values()]
    assert sorted(names) == ["Deutsch", "English", "Lietuvių", "Nederlands"]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "Atšaukta 0 paveikslų."),
        (1, "Atšauktas 1 paveikslas."),
        (2, "Atšaukti 2 paveikslai."),
        (5, "Atšaukti 5 paveikslai."),
        (10, "Atšaukta 10 paveikslų."),
        (11, "Atšaukta 11 paveikslų."),
        (21, "Atšauktas 21 paveikslas."),
        (1000, "Atšaukta 1000 paveikslų."),
    ],
)
def test_lithuanian_has_three_plurals(count: int, said: str) -> None:
    assert catalogues.LANGUAGES["lt"].cancelled_some(count, 0) == said


def test_the_data_of_the_settings_buttons_fit() -> None:
    owner = -(10**13)
    choices = [language_data(each, owner) for each in (*LANGUAGES, "")]
    choices += [menu_data(menu, owner) for menu in Menu]
    choices += [zone_data(zone, owner) for zone in available()]
    assert max(len(each.encode()) for each in choices) <= 64


def broken(folder: Path, said: str, instead: str) -> list[str]:
    """The problems of the German catalogue in which something is written instead."""
    file = folder / "de" / "LC_MESSAGES" / "bot.po"
    file.parent.mkdir(parents=True)
    original = texts.LOCALES / "de" / "LC_MESSAGES" / "bot.po"
    text = original.read_text("utf-8")
    assert text.count(said) == 1
    file.write_text(text.replace(said, instead), "utf-8")
    shutil.copy(original.with_suffix(".mo"), file.parent)
    return [*texts.problems(folder, texts.extract())]


@pytest.mark.parametrize(
    ("said", "instead", "problem"),
    [
        ('msgstr "Abbrechen"', 'msgstr ""', "missing: 'Cancel'"),
        ('msgid "Cancel"', '#, fuzzy\nmsgid "Cancel"', "fuzzy: 'Cancel'"),
        ('msgid "Cancel"', 'msgid "Call off"', "missing: 'Cancel'"),
        ('msgid "Cancel"', 'msgid "Call off"', "no longer said: 'Call off'"),
        ("„{words}“", "„{worte}“", "other placeholders: 'Shall I paint “{words}”?'"),
        ("🪞 Näher dran", "Näher dran", "other emoji: '🪞 Closer'"),
        ("🪞 Näher dran", "🪞 Näher", "bot.mo is not what bot.po says"),
        ('"gestern"', '"gestern "', "spaces around it: 'yesterday'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, said: str, instead: str, problem: str) -> None:
    assert f"de: {problem}" in broken(tmp_path, said, instead)


def test_an_update_leaves_what_is_whole_as_it_is(tmp_path: Path) -> None:
    shutil.copytree(texts.LOCALES, tmp_path, dirs_exist_ok=True)
    template = texts.extract()
    for file in tmp_path.glob("*/LC_MESSAGES/bot.po"):
        texts.update(file, template)
        of_ours = texts.LOCALES / file.relative_to(tmp_path)
        assert file.read_text("utf-8") == of_ours.read_text("utf-8")


def test_a_new_sentence_is_missing_until_it_is_translated(tmp_path: Path) -> None:
    shutil.copytree(texts.LOCALES, tmp_path, dirs_exist_ok=True)
    template = texts.extract()
    template.add("Something new.")
    file = tmp_path / "lt" / "LC_MESSAGES" / "bot.po"
    texts.update(file, template)
    assert "lt: missing: 'Something new.'" in [*texts.problems(tmp_path, template)]
