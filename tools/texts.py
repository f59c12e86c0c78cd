"""Keeps the catalogues of all languages up with the sources: `make texts`.

It writes into each `locale/<language>/LC_MESSAGES/bot.po` what there is to translate, takes out
what is no longer said, and compiles `bot.mo` beside it. A new language begins with an empty file.
"""

import io
import string
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from bot import texts
from bot.recipes.styles import STYLES

_TEXTS: Final = Path(texts.__file__).parent
_ROOT: Final = _TEXTS.parent.parent
LOCALES: Final = _TEXTS / "locale"

_KEYWORDS: Final = {"_": None, "_noop": None, "ngettext": (1, 2)}
_WIDTH: Final = 100
_HEAD: Final = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""
_ADVICE: Final = (
    "Run `make texts`, and translate what is missing in bot/texts/locale/*/LC_MESSAGES/bot.po."
)


def main() -> None:
    """The command."""
    template = extract()
    for file in _files(LOCALES):
        update(file, template)
    if found := [*problems(LOCALES, template)]:
        sys.exit("\n".join([*found, _ADVICE]))


def extract() -> Catalog:
    """All that there is to translate."""
    template = Catalog(fuzzy=False)
    for source in sorted(_TEXTS.glob("*.py")):
        place = (source.relative_to(_ROOT).as_posix(), 0)
        for _, text, comments, _ in extract_from_file(
            "python", source, _KEYWORDS, ["Translators:"]
        ):
            template.add(text, locations=[place], auto_comments=comments)
    for style in STYLES.values():
        template.add(style.label, locations=[("bot/recipes/styles.toml", 0)])
    return template


def update(file: Path, template: Catalog) -> None:
    """Brings a catalogue up with the template, and compiles it."""
    catalog = _read(file)
    # What resembles another sentence is not what it says.
    catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
    written = io.BytesIO()
    write_po(
        written,
        catalog,
        width=_WIDTH,
        omit_header=True,  # Babel's has the time of day
        ignore_obsolete=True,
        include_lineno=False,
    )
    head = _HEAD.format(language=_language(file), plural=catalog.plural_forms)
    file.write_bytes(head.encode() + written.getvalue())
    if _compiled(file) != _translated(catalog):
        with file.with_suffix(".mo").open("wb") as stream:
            write_mo(stream, catalog)


def problems(folder: Path, template: Catalog) -> Iterator[str]:
    """What is wrong with the catalogues of a folder, a line each."""
    for file in _files(folder):
        language, catalog = _language(file), _read(file)
        wrong = [*_differences(catalog, template)]
        for message in _messages(catalog):
            wrong += [f"{fault}: {message.id!r}" for fault in _faults(message, catalog)]
        if _compiled(file) != _translated(catalog):
            wrong.append("bot.mo is not what bot.po says")
        yield from (f"{language}: {each}" for each in wrong)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/LC_MESSAGES/bot.po"))


def _language(file: Path) -> str:
    return file.parent.parent.name


def _read(file: Path) -> Catalog:
    with file.open("rb") as stream:
        return read_po(stream, Locale.parse(_language(file)))


def _messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]  # all but the head


def _translated(catalog: Catalog) -> Mapping[str, Sequence[str]]:
    """What is said for each sentence that is translated."""
    said = ((each, _forms(each)) for each in _messages(catalog))
    return {_source(each): forms for each, forms in said if all(forms)}


def _source(message: Message) -> str:
    return _strings(message.id)[0]


def _compiled(file: Path) -> Mapping[str, Sequence[str]]:
    compiled = file.with_suffix(".mo")
    if not compiled.exists():
        return {}
    with compiled.open("rb") as stream:
        return _translated(read_mo(stream))


def _forms(message: Message) -> Sequence[str]:
    """What it is translated as: once, or for each plural."""
    return _strings(message.string)


def _strings(said: str | Sequence[str] | None) -> Sequence[str]:
    return (said or "",) if said is None or isinstance(said, str) else tuple(said)


def _differences(catalog: Catalog, template: Catalog) -> Iterator[str]:
    there = {message.id for message in _messages(catalog)}
    wanted = {message.id for message in _messages(template)}
    yield from (f"missing: {message!r}" for message in wanted - there)
    yield from (f"no longer said: {message!r}" for message in there - wanted)
    yield from (f"no longer said: {message!r}" for message in catalog.obsolete)


def _faults(message: Message, catalog: Catalog) -> Iterator[str]:
    forms, source = _forms(message), _strings(message.id)[-1]
    if message.fuzzy:
        yield "fuzzy"
    if not all(forms):
        yield "missing"
        return
    if message.pluralizable and len(forms) != catalog.num_plurals:
        yield f"{len(forms)} of {catalog.num_plurals} plural forms"
    if any(_placeholders(form) != _placeholders(source) for form in forms):
        yield "other placeholders"
    if any(_marks(form) != _marks(source) for form in forms):
        yield "other emoji"
    if any(form.strip() != form for form in forms):
        yield "spaces around it"


def _placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def _marks(text: str) -> list[str]:
    """The emoji, by which a button is known in any language."""
    return [each for each in text if unicodedata.category(each) == "So"]


if __name__ == "__main__":
    main()
