"""The tables of the job queue, and what earlier versions left in them."""

import shutil
import sqlite3
from pathlib import Path
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text as sql

from generator.jobs.database import MIGRATIONS, JobDatabase
from generator.jobs.tables import Base
from lookalike.database import create_engine
from lookalike.migrations import migrate
from tests.generator.scripted import png_of
from tests.generator.stack import job, serving

_ONE_GENERATOR = (
    "DROP TABLE holders",
    "ALTER TABLE jobs DROP COLUMN batch",
    "ALTER TABLE jobs DROP COLUMN step",
    "ALTER TABLE jobs DROP COLUMN step_seconds",
    "ALTER TABLE jobs DROP COLUMN submitted_at",
    "ALTER TABLE jobs DROP COLUMN traceparent",
)
_OLD_TABLES = (
    *_ONE_GENERATOR,
    "DROP TABLE uploaded_images",
    "ALTER TABLE jobs DROP COLUMN init_sha256",
    "ALTER TABLE jobs DROP COLUMN init_strength",
    "ALTER TABLE jobs DROP COLUMN aspect_width",
    "ALTER TABLE jobs DROP COLUMN aspect_height",
    "ALTER TABLE logical_clock RENAME TO clock",
    "ALTER TABLE jobs RENAME COLUMN waiter TO attendant",
    "ALTER TABLE jobs RENAME COLUMN image_key TO picture",
    "ALTER TABLE jobs RENAME COLUMN image_width TO picture_width",
    "ALTER TABLE jobs RENAME COLUMN image_height TO picture_height",
    "ALTER TABLE jobs RENAME COLUMN image_sha256 TO sha256",
    "ALTER TABLE jobs RENAME COLUMN error_message TO error_words",
)


def _take_back(path: Path, version: str, *statements: str) -> None:
    """Makes a database as an earlier version left it."""
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()


@pytest.mark.each_database
async def test_the_migrations_make_the_tables_of_the_code(database_url: str) -> None:
    opened = JobDatabase(database_url)
    with opened._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    await opened.close()


async def test_jobs_from_before_there_were_presets_were_balanced(tmp_path: Path) -> None:
    path = tmp_path / "generator" / "jobs.db"
    async with serving(tmp_path) as stack:
        await stack.put(job("old"))
    _take_back(path, "0001", *_OLD_TABLES, "ALTER TABLE jobs DROP COLUMN preset")
    engine = create_engine(f"sqlite:///{path}")
    migrate(engine, MIGRATIONS)
    with engine.connect() as opened:
        rows = opened.execute(sql("SELECT prompt, preset FROM jobs")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("old", "balanced")]


async def test_jobs_and_pictures_of_the_second_version_are_kept(tmp_path: Path) -> None:
    """Pictures lay in one folder then, under the job's id and the fence."""
    async with serving(tmp_path, max_attempts=1) as stack:
        stack.executor.go()
        finished = await stack.put(job("finished"))
        await stack.reach(finished, "finished")
        stack.executor.endings.append(RuntimeError("broken"))
        failed = await stack.put(job("failed"))
        await stack.reach(failed, "failed")
        png = png_of(stack.executor.tasks[0])
        (picture,) = stack.images
    old_name = f"{finished}-1.png"
    picture.rename(stack.results / old_name)
    shutil.rmtree(picture.parent)
    (stack.results / f"{UUID(int=1)}-9.png").write_bytes(b"computed, but never committed")
    rename = f"UPDATE jobs SET picture = '{old_name}' WHERE picture IS NOT NULL"
    _take_back(tmp_path / "generator" / "jobs.db", "0002", *_OLD_TABLES, rename)

    async with serving(tmp_path) as stack:
        assert [path.name for path in stack.images] == [old_name]
        answer = await stack.client.get(f"/v1/jobs/{finished}/image")
        assert answer.content == png
        state = await stack.get(failed)
        assert (state[-1].get("code"), state[-1].text) == (
            "gave-up",
            "The computation broke off 1 times; it was given up.",
        )
        assert (await stack.client.delete(f"/v1/jobs/{finished}")).status_code == 204
        assert stack.images == []
        stack.executor.go()
        await stack.reach(await stack.put(job("new")), "finished")


async def test_what_the_only_generator_held_before_the_upgrade_is_freed(tmp_path: Path) -> None:
    """It was killed: a job ran, another one's caller waited, a third one had ended."""
    path = tmp_path / "generator" / "jobs.db"
    async with serving(tmp_path) as stack:
        stack.executor.go()
        finished = await stack.put(job("finished"))
        await stack.reach(finished, "finished")
    async with serving(tmp_path) as stack:
        ids = [await stack.put(job(name)) for name in ("runs", "is waited for", "queued")]
        await stack.reach(ids[0], "running")
    held = "state = 'running', attempts = 1, holder = 'inprocess', lease_until = 1000060"
    _take_back(
        path,
        "0004",
        *_ONE_GENERATOR,
        f"UPDATE jobs SET {held} WHERE prompt = 'runs'",
        "UPDATE jobs SET waiter = 'inprocess' WHERE prompt = 'is waited for'",
    )
    async with serving(tmp_path) as stack:
        assert (await stack.client.get(f"/v1/jobs/{ids[1]}")).status_code == 404
        assert (await stack.client.get(f"/v1/jobs/{finished}/image")).status_code == 200
        stack.executor.go()
        assert (await stack.reach(ids[0], "finished")).get("attempt") == "2"
        assert (await stack.reach(ids[2], "finished")).get("attempt") == "1"
