"""The token between the services is made once, and readable by its owner alone."""

import stat
import threading
from pathlib import Path

import pytest

from lookalike.errors import StartError
from lookalike.processes import clean_environment
from lookalike.tokens import derived_secret, same_token, service_token
from tests.commands import run


def test_it_is_made_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    token = service_token(home)
    assert len(token) >= 40
    assert service_token(home) == token
    assert stat.S_IMODE((home / "service-token").stat().st_mode) == 0o600


@pytest.mark.slow
def test_the_home_is_its_owners_even_with_a_token_of_ones_own(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    environment = {
        **clean_environment(),
        "LOOKALIKE_HOME": str(home),
        "SERVICE_TOKEN": "a-token-of-ones-own",
        "GENERATOR_LISTEN": "127.0.0.1:0",
        "GENERATOR_MODEL": str(tmp_path / "missing"),
    }
    ended = run("generator", folder=tmp_path, environment=environment)
    assert ended.returncode == StartError.EXIT_CODE
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert not (home / "service-token").exists()


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    found: list[str] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        found.append(service_token(tmp_path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["service-token"]


def test_a_home_that_is_no_folder_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StartError, match=r"^LOOKALIKE_HOME .* cannot be used: .*\.$"):
        service_token(tmp_path / "home")


def test_tokens_are_compared_whatever_they_hold() -> None:
    assert same_token("ä", "ä")
    assert not same_token("a", "b")


def test_a_derived_secret_is_that_of_its_token_and_purpose_alone() -> None:
    # RFC 4231, 4.3
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert derived_secret("Jefe", "what do ya want for nothing?") == expected
    assert derived_secret("Jefe", "another") != expected
    assert derived_secret("another", "what do ya want for nothing?") != expected
