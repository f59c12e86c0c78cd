"""The engine of a service's own database: one process, one connection."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, SQLAlchemyError

from lookalike.database import create_engine
from lookalike.errors import StartError
from lookalike.sqlite import fault, truncate_log

_HOLD = """
import sys, time
from lookalike.database import create_engine
engine = create_engine(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


def test_a_database_is_one_engines_until_it_is_disposed(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    url = f"sqlite:///{path}"
    engine = create_engine(url)
    with pytest.raises(StartError, match=rf"^Another process uses {path}\.$"):
        create_engine(url)
    create_engine(f"sqlite:///{tmp_path / 'other.db'}").dispose()
    engine.dispose()
    create_engine(url).dispose()


@pytest.mark.slow
def test_a_process_that_dies_gives_its_database_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'rows.db'}"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, url], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(StartError, match="Another process uses"):
                create_engine(url)
        finally:
            holder.kill()
    create_engine(url).dispose()


def test_a_database_that_cannot_be_locked_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "rows.db.lock").mkdir()
    with pytest.raises(StartError, match=r"^.*rows\.db\.lock cannot be opened: .*\.$"):
        create_engine(f"sqlite:///{tmp_path / 'rows.db'}")


def test_what_is_wrong_with_the_storage_is_told_from_what_is_wrong_with_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.db"
    engine = create_engine(f"sqlite:///{path}")

    def run(*statements: str) -> None:
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    run("CREATE TABLE t (n INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with pytest.raises(IntegrityError) as wrong:
        run("INSERT INTO t VALUES (1)")
    assert fault(wrong.value) is None
    with pytest.raises(OperationalError) as unknown:
        run("SELECT n FROM nowhere")
    assert fault(unknown.value) is None

    monkeypatch.setattr(engine.pool, "_timeout", 0.01)
    with engine.connect(), pytest.raises(SQLAlchemyError) as busy:
        run()
    assert "busy" in str(fault(busy.value))

    run("PRAGMA max_page_count = 1")
    with pytest.raises(OperationalError) as full:
        run("CREATE TABLE u AS SELECT zeroblob(100000)")
    assert (fault(full.value) or OSError()).errno == errno.ENOSPC

    engine.dispose()
    path.write_bytes(path.read_bytes()[:4096] + b"nonsense" * 512)
    engine = create_engine(f"sqlite:///{path}")
    with pytest.raises(DatabaseError) as damaged:
        run("SELECT n FROM t")
    assert (fault(damaged.value) or OSError()).errno == errno.EIO
    engine.dispose()


def test_a_log_that_cannot_be_emptied_in_time_is_the_storages_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'rows.db'}")
    monkeypatch.setattr(engine.pool, "_timeout", 0.01)
    with engine.connect(), pytest.raises(OSError, match="busy") as busy:  # the only connection
        truncate_log(engine)
    assert busy.value.errno == errno.EIO
    truncate_log(engine)
    engine.dispose()
