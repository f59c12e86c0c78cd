"""Trouble that passes is told from what somebody must change, by the exit code."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from lookalike import database, files, lifecycle, tokens
from lookalike.blobs.local import LocalBlobs
from lookalike.errors import StartError, passes
from lookalike.migrations import migrate
from lookalike.processes import clean_environment

PASSING = [
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
    errno.EIO,
    errno.EAGAIN,
]


def failing(number: int) -> Callable[..., Any]:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


STARTS: dict[str, tuple[tuple[Any, str], Callable[[Path], object]]] = {
    "home": ((Path, "mkdir"), files.make_home),
    "lock": ((Path, "open"), lambda folder: files.lock_file(folder / "lock")),
    "token": ((os, "open"), tokens.service_token),
    "port": ((socket.socket, "bind"), lambda _: lifecycle.bind("127.0.0.1:0", "BOT_LISTEN")),
    "database": ((Path, "mkdir"), lambda folder: database.create_engine(f"sqlite:///{folder}/db")),
    "blobs": ((Path, "mkdir"), LocalBlobs),
}
"""What a start does, and the call that fails in it."""


@pytest.mark.parametrize("number", [*PASSING, errno.EACCES, errno.ENOTDIR, errno.EROFS])
@pytest.mark.parametrize("start", STARTS)
def test_the_code_is_that_of_the_trouble(
    start: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, begin = STARTS[start]
    monkeypatch.setattr(*place, failing(number))
    with pytest.raises(StartError) as caught:
        begin(tmp_path)
    monkeypatch.undo()
    assert caught.value.exit_code == (75 if number in PASSING else 78)
    assert str(caught.value).endswith(".")


def test_a_port_that_is_taken_may_be_free_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StartError) as caught:
            lifecycle.bind(listen, "BOT_LISTEN")
    assert caught.value.exit_code == 75
    with pytest.raises(StartError) as caught:
        lifecycle.bind("192.0.2.1:0", "BOT_LISTEN")  # another machine's, RFC 5737
    assert caught.value.exit_code == 78


def test_a_database_that_another_process_uses_may_be_free_later(tmp_path: Path) -> None:
    engine = database.create_engine(f"sqlite:///{tmp_path}/rows.db")
    with pytest.raises(StartError, match="Another process uses") as caught:
        database.create_engine(f"sqlite:///{tmp_path}/rows.db")
    engine.dispose()
    assert caught.value.exit_code == 75


def migrations(folder: Path) -> Path:
    (folder / "versions").mkdir(parents=True)
    (folder / "versions" / "0001.py").write_text(
        "from alembic import op\nrevision, down_revision = '0001', None\n"
        "def upgrade(): op.execute('CREATE TABLE photos (bytes BLOB)')\n"
    )
    return folder


def test_a_full_disk_at_a_migration_passes(tmp_path: Path) -> None:
    engine = database.create_engine(f"sqlite:///{tmp_path}/rows.db")
    sqlalchemy.event.listen(
        engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=1")
    )
    with pytest.raises(StartError, match="cannot be used: database or disk is full") as caught:
        migrate(engine, migrations(tmp_path / "migrations"))
    engine.dispose()
    assert caught.value.exit_code == 75


def test_a_file_that_is_no_database_stays_one(tmp_path: Path) -> None:
    (tmp_path / "rows.db").write_bytes(b"no database" * 100)
    engine = database.create_engine(f"sqlite:///{tmp_path}/rows.db")
    with pytest.raises(StartError, match="cannot be used: file is not a database") as caught:
        migrate(engine, migrations(tmp_path / "migrations"))
    engine.dispose()
    assert caught.value.exit_code == 78


def test_memory_comes_back_and_a_bug_does_not_go_away() -> None:
    assert passes(MemoryError())
    assert passes(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
    assert passes(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    assert not passes(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    assert not passes(FileNotFoundError(errno.ENOENT, "No such file"))
    assert not passes(RuntimeError("a bug"))


def run_main(body: str, home: Path, **limits: Any) -> subprocess.CompletedProcess[str]:
    """A process of ours whose `main` is this."""
    program = (
        "from lookalike.lifecycle import run\nfrom lookalike.settings import Settings\n"
        f"async def main(settings, stop):\n    {body}\nrun('bot', Settings, main)\n"
    )
    return subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={**clean_environment(), "LOOKALIKE_HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **limits,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("raise MemoryError", 75, "lookalike bot: There is not enough memory.\n"),
        ("raise OSError(28, 'The disk is full')", 75, "lookalike bot: The disk is full.\n"),
        ("raise OSError(5, 'It broke', '/a/b')", 75, "lookalike bot: /a/b: It broke.\n"),
    ],
)
def test_what_nobody_expected_is_a_sentence_as_well(
    body: str, code: int, said: str, tmp_path: Path
) -> None:
    ended = run_main(body, tmp_path)
    assert ended.returncode == code
    assert ended.stderr.endswith(said)
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_no_file_descriptors_are_trouble_that_passes(tmp_path: Path) -> None:
    starve = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4)); "
    ended = run_main(f"{starve}open('/dev/null')", tmp_path)
    assert ended.returncode == 75, ended.stderr
    assert ended.stderr.startswith("lookalike bot: ")
    assert ended.stderr.count("\n") == 1
    assert "Too many open files" in ended.stderr
