"""Links with which a bot is owned."""

from pathlib import Path

import pytest

from lookalike import ownership
from lookalike.errors import StartError


def test_every_link_that_was_printed_is_good_until_one_is_spent(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert not ownership.is_good(home, "")
    secrets = [ownership.new_secret(home) for _ in range(3)]
    assert all(ownership.is_good(home, each) for each in secrets)
    assert not ownership.is_good(home, secrets[0] + "x")
    ownership.spend(home)
    assert not any(ownership.is_good(home, each) for each in secrets)
    assert list(home.iterdir()) == []
    ownership.spend(home)


def test_the_newest_links_are_kept(tmp_path: Path) -> None:
    secrets = [ownership.new_secret(tmp_path) for _ in range(25)]
    good = [ownership.is_good(tmp_path, each) for each in secrets]
    assert good == [False] * 5 + [True] * 20


def test_a_link_is_telegrams_where_there_are_any(tmp_path: Path) -> None:
    said = ownership.invitation(tmp_path, "some_bot", "https://api.telegram.org/")
    link = said.split()[-1]
    secret = link.removeprefix("https://t.me/some_bot?start=o_")
    assert ownership.is_good(tmp_path, secret)
    assert len(f"o_{secret}") <= 64, "as many characters as such a link takes"
    said = ownership.invitation(tmp_path, "some_bot", "http://127.0.0.1:5000")
    assert "write this to @some_bot at http://127.0.0.1:5000:\n  /start o_" in said


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.joinpath("owner-links").mkdir()
    with pytest.raises(StartError, match=r"cannot be used: Is a directory\.$"):
        ownership.new_secret(tmp_path)
