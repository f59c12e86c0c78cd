"""What deploying.md and operations.md have people type as root or in containers is there."""

import configparser
import itertools
import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click
import yaml

from lookalike.cli import main
from tests.docs import documents
from tests.docs.documents import ROOT

COMPOSE: Final = ROOT / "deploy" / "compose"
UNIT: Final = ROOT / "deploy" / "systemd" / "lookalike.service"


def _lines(*pages: str) -> Iterator[list[str]]:
    """The words of each line in the blocks `console` of these pages, or of all."""
    for block in documents.blocks("console"):
        if not pages or block.document in pages:
            for line in block.text.splitlines():
                yield shlex.split(line)[1:]


def _service(command: Sequence[str]) -> tuple[str, dict[str, Any], list[str]] | None:
    """What `docker compose run`, `exec` or `logs` names, the file's services, and what follows."""
    _, _, _, file, verb, *words = command
    services = yaml.safe_load((COMPOSE / file).read_text())["services"]
    if verb not in {"run", "exec", "logs"}:
        return None
    while words[0].startswith("-"):
        del words[: 2 if words[0] in {"-e", "-v", "--entrypoint"} else 1]
    return words[0], services, words[1:]


def _takes(words: Sequence[str]) -> None:
    """Raises where `lookalike` has no such command, or that has no such option."""
    command = main.commands[words[0]]
    options = {
        option
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    assert {word for word in words if word.startswith("--")} <= options, words


def test_files_that_are_named_are_there() -> None:
    named = {word for line in _lines() for word in line if word.startswith("deploy/")}
    assert named
    for path in named:
        assert (ROOT / path).is_file(), path


def test_extras_that_are_named_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {
        extra
        for line in _lines()
        for word in line
        for group in re.findall(r"(?:lookalike\S*|^\.)\[([\w,]+)\]", word)
        for extra in group.split(",")
    }
    assert {"bot", "dbservice", "generator", "demo", "telemetry"} <= named
    assert named <= project["optional-dependencies"].keys()


def test_compose_knows_the_services_and_they_the_commands() -> None:
    commands = [line for line in _lines() if line[:3] == ["docker", "compose", "-f"]]
    assert {line[3] for line in commands} == {"small.yaml", "club.yaml", "many.yaml"}
    asked = set()
    for command in commands:
        if found := _service(command):
            name, services, words = found
            assert name in services
            if "--entrypoint" not in command and command[4] == "run":
                _takes(words)
                asked.add(words[0])
                mounted = " ".join(services[name]["volumes"])
                assert words[0] != "download" or "models:/var/cache/lookalike" in mounted
    assert asked >= {"download", "backup", "restore", "move"}


def test_what_runs_as_the_units_user_runs_as_the_unit_does() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[method-assign, assignment]  # as its documents have it
    unit.read(UNIT)
    (line,) = [line for line in _lines("docs/deploying.md") if line[0] == "systemd-run"]
    properties = dict(
        word.split("=", 1) for option, word in itertools.pairwise(line) if option == "-p"
    )
    assert properties.pop("KillMode") == "process"  # a download in the background goes on
    assert properties == {name: unit["Service"][name] for name in properties}
    assert {"StateDirectoryMode", "CacheDirectoryMode", "UMask"} <= properties.keys()
    text = UNIT.read_text()
    for option, word in itertools.pairwise(line):
        if option == "-E":
            assert f" {word}" in text or f"={word}" in text
    assert f"--uid={unit['Service']['User']}" in line
    assert f"--working-directory={unit['Service']['WorkingDirectory']}" in line
    assert unit["Service"]["ExecStart"].split()[0] in line
