"""The documents say what the code does: settings, commands, codes, checks, bounds, files."""

import ast
import configparser
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import click
import pytest
from pydantic import TypeAdapter

from bot import texts as bot_texts
from bot.captioners import azure, base
from bot.settings import BotSettings
from bot.texts.tables import ENDINGS, SMALL_MODEL_SIZE, WAITS
from bot.web.gallery.problems import STATUSES
from dbservice.errors import Reason
from dbservice.settings import DbserviceSettings
from dbservice.validation import work as validation
from generator.jobs.errors import Fault
from generator.models import EMOJI
from generator.settings import GeneratorSettings
from generator.web import http
from generator.web.problems import Code
from lookalike import lifecycle, secret_files
from lookalike.cli import main
from lookalike.cli.demo.session import NOTE
from lookalike.cli.up import watchdog
from lookalike.errors import StartError
from lookalike.imaging import child, decoder, metadata, refusals
from lookalike.processes import clean_environment
from lookalike.settings import Settings
from sandbox.settings import SandboxSettings
from tests.docs import documents
from tests.docs.documents import DOCUMENTS, ROOT, rows

ALL_SETTINGS: dict[str, type[Settings]] = {
    "bot": BotSettings,
    "dbservice": DbserviceSettings,
    "generator": GeneratorSettings,
    "sandbox": SandboxSettings,
}

FILES = {
    name
    for cls in ALL_SETTINGS.values()
    for name in secret_files.variables(cls.model_fields).values()
}
"""Variables that name a file with a secret."""

DEFINED = {name.upper() for cls in ALL_SETTINGS.values() for name in cls.model_fields} | FILES

PACKAGES = ("bot", "dbservice", "generator", "sandbox", "lookalike", "protos")

IN_THE_HOME = (
    "bot/undecoded/",
    "dbservice/lookalike.db",
    "dbservice/blobs/",
    "generator/jobs.db",
    "generator/results/",
)
"""Paths under LOOKALIKE_HOME that look like the repository's."""


# Settings.


def test_every_setting_is_documented_and_no_other() -> None:
    assert set(rows("settings.md")) == DEFINED


def test_the_demo_takes_no_setting_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DEFINED:
        monkeypatch.setenv(name, "x")
    assert not clean_environment().keys() & DEFINED


@pytest.mark.parametrize("example", [".env.example", "lookalike/cli/env.example"])
def test_every_setting_is_in_the_example_and_no_other(example: str) -> None:
    text = (ROOT / example).read_text()
    assert set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)) == DEFINED


@pytest.mark.parametrize("service", ALL_SETTINGS)
def test_the_documented_defaults_are_the_real_ones(service: str) -> None:
    documented = rows("settings.md")
    example = (ROOT / ".env.example").read_text()
    for name, field in ALL_SETTINGS[service].model_fields.items():
        _, default, readers, _ = documented[name.upper()]
        assert readers == "all" or service in readers.split(", ")
        if isinstance(field.default, str | int) and field.default:
            assert default == f"`{field.default}`"
            assert f"#{name.upper()}={field.default}\n" in example


def test_the_files_with_secrets_are_documented_for_whoever_reads_the_secrets() -> None:
    documented = rows("settings.md")
    for name in FILES:
        assert documented[name][1:3] == ["none", documented[name.removesuffix("_FILE")][2]]
        assert "(#secrets-in-files)" in documented[name][3]


def test_settings_that_are_spoken_of_exist_and_take_what_they_are_given() -> None:
    ours = "|".join(sorted({name.partition("_")[0] for name in DEFINED}))
    spoken = re.compile(rf"\b((?:{ours})(?:_[A-Z]+)*)\b(?:=([^\s`'\"]+))?")
    texts = [word for document in DOCUMENTS for word in documents.code(document)]
    texts += [block.text for block in documents.blocks()]
    texts += [line for _, line in documents.indented()]
    found = {(match[1], match[2]) for text in texts for match in spoken.finditer(text)}
    assert {name for name, _ in found} <= DEFINED
    given = [(name, value) for name, value in found if value and not value.endswith("...")]
    assert len(given) > 10
    for name, value in given:
        for cls in ALL_SETTINGS.values():
            if field := cls.model_fields.get(name.lower()):
                kind: Any = Annotated[field.annotation, *field.metadata, None]
                TypeAdapter(kind).validate_python(value)


# Commands.


def test_the_small_models_size_is_what_people_are_told() -> None:
    config = json.loads((EMOJI / "unet" / "config.json").read_text())
    levels = len(json.loads((EMOJI / "vae" / "config.json").read_text())["block_out_channels"])
    side = config["sample_size"] * 2 ** (levels - 1)
    assert f"{side} x {side} pixels" == SMALL_MODEL_SIZE
    assert f"{side} x {side} pixels" in NOTE
    assert f"{side} x {side} pixels" in (ROOT / "docs" / "models.md").read_text()


def test_every_chat_command_is_documented() -> None:
    documented = set(re.findall(r"^\| `/(\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert documented == {name for name, _ in bot_texts.of("en").commands}


def test_every_command_of_the_command_line_is_documented() -> None:
    text = "\n".join(document.read_text() for document in DOCUMENTS)
    for name in main.commands:
        assert f"lookalike {name}" in text, name


def test_commands_that_are_spoken_of_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    seen = set()
    for document in DOCUMENTS:
        for words in documents.code(document):
            first, _, rest = words.removeprefix(".venv/bin/").partition(" ")
            if first == "make" and rest:
                assert rest.split()[0] in targets, f"{document.name}: {words}"
                seen.add(rest)
            if first == "lookalike" and rest and not rest.startswith("..."):
                _check_command(document, rest.split())
                seen.add(rest)
    assert len(seen) > 10


def _check_command(document: Path, words: list[str]) -> None:
    if words[0].startswith("--"):
        assert words[0] in {option for each in main.params for option in each.opts}
        return
    command = main.commands.get(words[0])
    assert command is not None, f"{document.name}: lookalike {words[0]}"
    options = {
        option for each in command.params if isinstance(each, click.Option) for option in each.opts
    }
    for word in words[1:]:
        assert not word.startswith("--") or word in options, f"{document.name}: {words}"


# Errors.


def test_every_error_code_is_documented_and_no_other() -> None:
    codes = {code.code for code in Code} | {fault.value for fault in Fault}
    assert set(rows("errors.md")) == {
        *codes,
        *(reason.name for reason in Reason),
        *ENDINGS,
        *WAITS,
        *STATUSES,
        "undeliverable",
    }


def test_the_exit_codes_are_documented() -> None:
    text = (ROOT / "docs" / "errors.md").read_text()
    assert f"| {StartError.EXIT_CODE}, EX_CONFIG |" in text
    assert f"| {StartError.PASSING_EXIT_CODE}, EX_TEMPFAIL |" in text


def test_every_error_code_has_something_to_do() -> None:
    for code, cells in rows("errors.md").items():
        assert cells[-1].endswith("."), code
        assert len(cells) >= 3, code


def test_every_problem_has_the_status_that_is_documented() -> None:
    documented = rows("errors.md")
    for code in Code:
        if code.code not in ENDINGS:
            assert documented[code.code][1] == str(code.status)
    for gallerys, status in STATUSES.items():
        assert documented[gallerys][1] == str(status.value)


def test_every_way_a_job_fails_has_words_of_its_own() -> None:
    assert {fault.value for fault in Fault} <= set(ENDINGS)


# Troubleshooting.


def _strings(package: str) -> Iterator[str]:
    """What a package can say: the constant parts of its strings."""
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_the_words_that_troubleshooting_quotes_are_said() -> None:
    said = "\n".join(string for package in PACKAGES for string in _strings(package))
    page = ROOT / "docs" / "troubleshooting.md"
    quoted = [
        words for heading in documents.headings(page) for words in re.findall('"(.+)"', heading)
    ]
    quoted += re.findall(r"^\* \*([^*]+)\*", page.read_text(), re.MULTILINE)
    assert len(quoted) > 15
    for words in quoted:
        assert words.removesuffix("SIGKILL") in said, words


def test_every_check_of_the_doctor_is_explained_and_no_other() -> None:
    text = "\n".join(
        (ROOT / path).read_text()
        for path in (
            *(f"{part}/doctor.py" for part in ("bot", "dbservice", "generator", "lookalike/cli")),
            "bot/doctor_dbservices.py",
            "bot/doctor_updates.py",
            "generator/doctor_ray.py",
            "lookalike/checks.py",
            "lookalike/integrity.py",
        )
    )
    names = set(re.findall(r'\b(?:ok|warning|failed|folder|storage\.check)\(\s*"([^"]+)"', text))
    names |= {re.search(r'MODEL_MISSING = "(.+)"', text)[1]}  # type: ignore[index]  # it is there
    explained = rows("troubleshooting.md")
    assert set(explained) == names


# Facts.


def test_the_regions_and_the_end_of_image_analysis() -> None:
    text = (ROOT / "docs" / "azure.md").read_text()
    listed = re.findall(r"^ *\| (?:America|Europe|Asia) \| (.+) \|$", text, re.MULTILINE)
    assert sorted(", ".join(listed).split(", ")) == sorted(azure.REGIONS)
    end = date.fromisoformat(azure.RETIREMENT)
    assert f"## {end.day} {end:%B} {end.year}" in text


def test_the_bounds_are_the_real_ones() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    for bound in (
        f"sides of {refusals.MIN_SIDE} to {refusals.MAX_SIDE:,} pixels",
        f"{refusals.MAX_PIXELS // 1_000_000} million pixels",
        f"{child.CPU_SECONDS} s of a processor, {decoder.WALL_SECONDS:g} s in all",
        f"{child.MEMORY_BYTES / 10**9} GB of memory",
        f"{metadata.MAX_SCANS} scans, {metadata.MAX_SEGMENTS:,} segments",
        f"{base.MAX_CHARACTERS} characters",
        f"{http.MAX_BODY_BYTES // 1024} KiB",
        f"{http.MAX_IMAGE_BYTES // 2**20} MiB, 30 s to arrive",
        f"{validation.MAX_CHUNK // 1024} KiB a chunk",
        f"photos of {validation.MAX_PHOTO // 2**20} MiB",
        f"pictures of {validation.MAX_PICTURE // 2**20} MiB",
    ):
        assert bound in text, bound


def test_the_unit_for_systemd_fits_how_a_process_ends() -> None:
    (block,) = documents.blocks("ini")
    unit = configparser.ConfigParser(interpolation=None)
    unit.read_string(block.text)
    service = unit["Service"]
    command = service["ExecStart"].removeprefix(f"{service['WorkingDirectory']}/")
    assert command in documents.typed()
    assert service["RestartPreventExitStatus"] == str(StartError.EXIT_CODE)
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"  # trouble that passes may take its time
    assert float(service["TimeoutStopSec"]) > lifecycle.STOP_SECONDS
    assert float(service["WatchdogSec"]) > 3 * watchdog.SECONDS


def test_files_that_are_spoken_of_exist() -> None:
    top = {path.name for path in ROOT.iterdir() if path.is_dir()}
    seen = set()
    for document in DOCUMENTS:
        for words in documents.code(document):
            if re.fullmatch(r"[\w.]+/[\w./-]*", words) and words.partition("/")[0] in top:
                seen.add(words)
                assert words in IN_THE_HOME or (ROOT / words).exists(), f"{document.name}: {words}"
    assert len(seen) > 40


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_tests_that_hold_the_promises_are_there() -> None:
    named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", (ROOT / "docs/reliability.md").read_text())
    assert len(named) > 15
    for path, name in named:
        assert re.search(rf"def {name}\(", (ROOT / path).read_text()), f"{path}::{name}"
