"""PostgreSQL as a database of ours: its address, its faults, and what it must not tell."""

import asyncio
import errno
import re
import threading

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from dbservice.settings import DbserviceSettings
from dbservice.store import MIGRATIONS
from lookalike import integrity, postgresql
from lookalike.checks import Mark
from lookalike.database import create_engine
from lookalike.migrations import migrate
from lookalike.settings import SettingsError
from lookalike.transactions import Transactional
from tests.postgresql import Server

pytestmark = pytest.mark.scale

URL = "postgresql://me:se%40cret-word@db.example.org:5433/rows?sslmode=require"


def settings(monkeypatch: pytest.MonkeyPatch, url: str) -> DbserviceSettings:
    monkeypatch.setenv("DATABASE_URL", url)
    return DbserviceSettings.load()


def test_its_password_is_a_secret_and_in_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = settings(monkeypatch, URL)
    assert {"se%40cret-word", "se@cret-word"} <= {*loaded.given_secrets()}
    engine = create_engine(URL)
    assert postgresql.named(engine) == "postgresql://me:***@db.example.org:5433/rows"
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "postgres://host/db",
        "postgresql+psycopg://host/db",
        "postgresql://host",
        "postgresql://host:port/db",
        "postgresql://host/db?password=secret-word",
        "postgresql://me:secret#word@host/db",
    ],
)
def test_an_address_that_is_wrong_is_refused_and_not_repeated(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: ") as told:
        settings(monkeypatch, url)
    assert "secret" not in str(told.value)


@pytest.mark.slow
async def test_faults_are_told_from_errors_and_tell_nothing_of_rows(server: Server) -> None:
    name = server.create()
    engine = create_engine(server.url(name))
    rows = Transactional(engine)

    def run(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement))

    run("CREATE TABLE t (n int PRIMARY KEY, words text NOT NULL, other text)")
    run("INSERT INTO t VALUES (1, 'of a user', NULL)")
    for statement, error in (
        ("INSERT INTO t VALUES (1, 'of a user', NULL)", IntegrityError),
        ("INSERT INTO t VALUES (2, NULL, 'of a user')", IntegrityError),
        ("SELECT cast(words AS int) FROM t", DataError),
    ):
        with pytest.raises(error) as raised:
            run(statement)
        assert postgresql.fault(raised.value) is None
        assert "Key" not in str(raised.value.orig)
        assert "Failing row" not in str(raised.value)

    def wait(session: Session) -> None:
        session.execute(text("SET LOCAL statement_timeout = 10"))
        session.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(OSError, match="the database: ") as late:
        await rows.run(wait)
    assert late.value.errno == errno.EIO
    await rows.close()
    server.drop(name)


@pytest.mark.slow
async def test_what_another_one_was_in_the_way_of_is_begun_anew(server: Server) -> None:
    name = server.create()
    engine = create_engine(server.url(name))
    rows = Transactional(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n int PRIMARY KEY, times int)"))
        connection.execute(text("INSERT INTO t VALUES (1, 0), (2, 0)"))
    together = threading.Barrier(2)
    rolled_back = _count_rollbacks(engine)

    def change(session: Session, first: int, second: int) -> None:
        session.execute(text(f"UPDATE t SET times = times + 1 WHERE n = {first}"))
        if not rolled_back:
            together.wait(10)
        session.execute(text(f"UPDATE t SET times = times + 1 WHERE n = {second}"))

    await asyncio.gather(
        rows.run(lambda session: change(session, 1, 2)),
        rows.run(lambda session: change(session, 2, 1)),
    )
    with engine.begin() as connection:
        assert {*connection.scalars(text("SELECT times FROM t"))} == {2}
    assert rolled_back == ["deadlock"]
    await rows.close()
    server.drop(name)


def _count_rollbacks(engine: Engine) -> list[str]:
    found = list[str]()
    event.listen(engine, "rollback", lambda _connection: found.append("deadlock"))
    return found


@pytest.mark.slow
def test_the_doctor_says_how_it_is(server: Server) -> None:
    name = server.create()
    found = integrity.server(server.url(name), "DATABASE_URL")
    assert found.mark == Mark.OK
    assert f"/{name}" in found.summary
    assert "services use" not in found.summary
    engine = create_engine(server.url(name))
    migrate(engine, MIGRATIONS)
    with engine.begin() as connection:
        summary = integrity.server(server.url(name), "DATABASE_URL").summary
        assert "; services use 1 of 100 connections." in summary
        connection.execute(text("CREATE ROLE guest LOGIN"))
    guest = server.url(name).replace("lookalike@", "guest@")
    assert "lets its user make no tables" in integrity.server(guest, "DATABASE_URL").summary
    with engine.begin() as connection:
        connection.execute(text("GRANT CREATE, USAGE ON SCHEMA public TO guest"))
    assert re.search(
        r"keeps its user out of \d+ tables", integrity.server(guest, "DATABASE_URL").summary
    )
    with engine.begin() as connection:
        connection.execute(text("DROP OWNED BY guest"))
        connection.execute(text("DROP ROLE guest"))
    engine.dispose()
    away = integrity.server(URL.replace("db.example.org:5433", "127.0.0.1:1"), "DATABASE_URL")
    assert away.mark == Mark.FAILED
    assert "cret" not in away.summary
    server.drop(name)
