"""The documents say what the code does: every setting, command and error code is there."""

import re
from pathlib import Path

import pytest

from bot.settings import BotSettings
from bot.texts import en
from dbservice.errors import Reason
from dbservice.settings import DbserviceSettings
from generator.problems import Code, Fault
from generator.settings import GeneratorSettings
from lookalike.cli import main
from lookalike.settings import Settings
from sandbox.settings import SandboxSettings

ROOT = Path(__file__).parent.parent

ALL_SETTINGS: dict[str, type[Settings]] = {
    "bot": BotSettings,
    "dbservice": DbserviceSettings,
    "generator": GeneratorSettings,
    "sandbox": SandboxSettings,
}

DEFINED = {name.upper() for cls in ALL_SETTINGS.values() for name in cls.model_fields}


def rows(document: str) -> dict[str, list[str]]:
    """The tables' rows, by what stands in backquotes in the first column."""
    found = {}
    for line in (ROOT / "docs" / document).read_text().splitlines():
        match = re.match(r"\| `([^`]+)` \|", line)
        if match:
            found[match.group(1)] = [cell.strip() for cell in line.strip("|").split("|")]
    return found


def test_every_setting_is_documented_and_no_other() -> None:
    assert set(rows("settings.md")) == DEFINED


def test_every_setting_is_in_the_example_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == DEFINED


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


def test_every_chat_command_is_documented() -> None:
    documented = set(re.findall(r"^\| `/(\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert documented == {name for name, _ in en.COMMANDS}


def test_every_command_of_the_command_line_is_documented() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(document.read_text() for document in documents)
    for name in main.commands:
        assert f"lookalike {name}" in text, name


def test_every_error_code_is_documented_and_no_other() -> None:
    codes = {code.code for code in Code} | {fault.value for fault in Fault}
    assert set(rows("errors.md")) == {
        *codes,
        *(reason.name for reason in Reason),
        *en.endings(),
        *en.waits(),
        "undeliverable",
    }


def test_every_problem_has_the_status_that_is_documented() -> None:
    documented = rows("errors.md")
    for code in Code:
        if code.code not in en.endings():
            assert documented[code.code][1] == str(code.status)


def test_every_way_a_job_fails_has_words_of_its_own() -> None:
    assert {fault.value for fault in Fault} <= set(en.endings())


def test_links_between_documents_lead_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
