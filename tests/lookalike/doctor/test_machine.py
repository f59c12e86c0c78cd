"""This machine: disk, folders, ports, databases."""

import shutil
import socket
import sqlite3
from pathlib import Path

import pytest

from lookalike import checks, integrity
from lookalike.checks import Mark
from tests.lookalike.doctor.findings import Environment, failures, one

pytestmark = pytest.mark.slow


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1_000_000))
    found = checks.folder("disk", tmp_path / "not" / "there" / "yet")
    assert (found.check, found.mark) == ("disk", Mark.FAILED)
    assert found.summary.startswith("The disk is full: ")
    assert "1.0 MB free" in found.summary
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = checks.folder("photos", tmp_path / "file" / "photos")
    assert found.mark is Mark.FAILED
    assert "cannot be written" in found.summary


@pytest.mark.long
@pytest.mark.parametrize("service", ["dbservice", "generator", "bot"])
def test_a_port_that_is_taken(environment: Environment, service: str) -> None:
    variable = "BOT_LISTEN" if service == "bot" else f"{service.upper()}_LISTEN"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        only = "bot" if service == "bot" else "port"
        found = failures(environment, service, only, **{variable: address})
    assert variable in one(found, "port", f"Another program listens on {address}.")


@pytest.mark.parametrize("service", ["dbservice", "generator"])
def test_a_database_that_is_none(environment: Environment, tmp_path: Path, service: str) -> None:
    (tmp_path / "bad.db").write_bytes(b"this is no database, and longer than a header" * 100)
    variable = "DATABASE_URL" if service == "dbservice" else "GENERATOR_DATABASE_URL"
    settings = {variable: f"sqlite:///{tmp_path / 'bad.db'}"}
    found = failures(environment, service, "database", **settings)
    assert "backup" in one(found, "database", "is damaged: file is not a database")


@pytest.fixture(params=["DELETE", "WAL"])
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Ten thousand rows and an index, nobody has it open."""
    path = tmp_path / "a b.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA journal_mode={request.param}")
        connection.execute("CREATE TABLE t (x TEXT UNIQUE)")
        connection.executemany("INSERT INTO t VALUES (?)", ((f"{n:050}",) for n in range(10_000)))
    connection.close()
    return path


def test_a_database_with_damaged_pages(database: Path) -> None:
    data = bytearray(database.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = b"\xaa" * 4096
    database.write_bytes(data)
    found = integrity.database(database)
    assert found.mark is Mark.FAILED
    assert "is damaged: " in found.summary


def test_a_whole_database_is_read_and_nothing_is_written(database: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in database.parent.iterdir()}
    assert integrity.database(database).mark is Mark.OK
    assert {path: path.stat().st_mtime_ns for path in database.parent.iterdir()} == before


def test_a_database_in_use_is_read_beside_its_owner(database: Path) -> None:
    with sqlite3.connect(database, isolation_level=None) as owner:
        owner.execute("BEGIN IMMEDIATE")
        owner.execute("INSERT INTO t VALUES ('new')")
        assert integrity.database(database).mark is Mark.OK
        owner.execute("COMMIT")
    owner.close()


def test_a_database_that_takes_too_long_is_let_go(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "_SECONDS", 0.0)
    found = integrity.database(database)
    assert found.mark is Mark.WARNING
    assert "too large to check" in found.summary
