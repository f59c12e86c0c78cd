"""Migrations on tables that have rows, and the copy that is made before."""

import errno
import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from lookalike.database import create_engine
from lookalike.errors import StartError
from lookalike.migrations import migrate

_FIRST = """
    op.create_table(
        "parents", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String)
    )
    op.create_table(
        "children",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("parent", sa.Integer, sa.ForeignKey("parents.id", ondelete="CASCADE")),
    )
"""
_BATCH = """
    with op.batch_alter_table("parents", recreate="always") as batch:
        batch.alter_column("name", nullable=False)
"""
_ORPHANS = _BATCH + '    op.execute("DELETE FROM parents WHERE id = 2")\n'
_THIRD = '    op.add_column("parents", sa.Column("more", sa.String))\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def upgrade(engine: Engine, tmp_path: Path) -> Callable[..., None]:
    """Migrates to the last of these versions."""

    def to(*bodies: str) -> None:
        folder = tmp_path / f"migrations-{len(bodies)}"
        (folder / "versions").mkdir(parents=True, exist_ok=True)
        down = None
        for number, body in enumerate(bodies, 1):
            (folder / "versions" / f"{number}.py").write_text(
                "import sqlalchemy as sa\nfrom alembic import op\n"
                f"revision, down_revision = {str(number)!r}, {down!r}\n"
                f"def upgrade():\n{body}"
            )
            down = str(number)
        migrate(engine, folder)

    return to


@pytest.fixture
def filled(upgrade: Callable[..., None], engine: Engine) -> None:
    upgrade(_FIRST)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO parents VALUES (1, 'a'), (2, 'b')")
        connection.exec_driver_sql("INSERT INTO children VALUES (1, 1), (2, 2), (3, 2)")


def rows(path: Path, table: str = "children") -> list[Any]:
    with sqlite3.connect(path) as connection:
        found = connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
    connection.close()
    return found


def beside(path: Path) -> list[str]:
    return sorted(other.name for other in path.parent.glob("rows.db.*") if other.suffix != ".lock")


def test_a_first_start_copies_nothing(path: Path, upgrade: Callable[..., None]) -> None:
    upgrade(_FIRST, _BATCH)
    upgrade(_FIRST, _BATCH)
    assert rows(path) == []
    assert beside(path) == []


@pytest.mark.usefixtures("filled")
def test_a_table_that_is_made_anew_keeps_what_refers_to_it(
    path: Path, engine: Engine, upgrade: Callable[..., None]
) -> None:
    upgrade(_FIRST, _BATCH)
    assert rows(path) == [(1, 1), (2, 2), (3, 2)]
    assert rows(path, "parents") == [(1, "a"), (2, "b")]
    with engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.usefixtures("filled")
def test_the_copy_is_of_what_was_there_and_the_last_one_stays(
    path: Path, engine: Engine, upgrade: Callable[..., None]
) -> None:
    upgrade(_FIRST)
    assert beside(path) == []
    upgrade(_FIRST, _BATCH)
    copy = path.with_name("rows.db.version-1")
    assert beside(path) == [copy.name]
    assert copy.stat().st_mode & 0o777 == 0o600
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO children VALUES (4, 1)")
    assert rows(copy) == [(1, 1), (2, 2), (3, 2)]
    upgrade(_FIRST, _BATCH, _THIRD)
    assert beside(path) == ["rows.db.version-2"]
    assert len(rows(path.with_name("rows.db.version-2"))) == 4


@pytest.mark.usefixtures("filled")
def test_what_would_refer_to_nothing_is_not_upgraded(
    path: Path, engine: Engine, upgrade: Callable[..., None]
) -> None:
    with pytest.raises(StartError, match=rf"^The database {path} cannot be upgraded: .*\.$"):
        upgrade(_FIRST, _ORPHANS)
    assert rows(path) == [(1, 1), (2, 2), (3, 2)]
    with engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("SELECT * FROM alembic_version").scalar() == "1"
    upgrade(_FIRST, _BATCH)
    assert rows(path, "parents") == [(1, "a"), (2, "b")]


@pytest.mark.usefixtures("filled")
def test_without_room_for_the_copy_nothing_is_upgraded(
    path: Path, upgrade: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StartError, match="cannot be used: No space left") as error:
            upgrade(_FIRST, _BATCH)
    assert error.value.exit_code == StartError.PASSING_EXIT_CODE
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StartError, match="cannot be used: "):
            upgrade(_FIRST, _BATCH)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert beside(path) == []
    upgrade(_FIRST, _BATCH)
    assert beside(path) == ["rows.db.version-1"]
