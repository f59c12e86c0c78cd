"""What `lookalike up` checks before it starts anything."""

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from lookalike.checks import Finding
from lookalike.cli.up import checking, watchdog


def test_the_watchdog_hears_of_checks_that_take_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watchdog, "SECONDS", 0.01)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)

        def findings(
            service: str, _environment: Mapping[str, str], _arguments: Sequence[str]
        ) -> list[Finding]:
            if service == "bot":
                for _ in range(3):
                    assert systemd.recv(100) == b"WATCHDOG=1"
            return []

        monkeypatch.setattr(checking, "findings", findings)
        assert checking.check() == []
