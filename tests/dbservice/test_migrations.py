"""The migrations make the tables that the models describe."""

from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

import dbservice
from dbservice.models import Base
from lookalike.database import create_engine, migrate


async def test_models_and_migrations_agree(tmp_path: Path) -> None:
    def differences(connection: Connection) -> Any:
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)

    def indexes(connection: Connection) -> Any:
        query = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'ix_%' ORDER BY name"
        return connection.exec_driver_sql(query).all()

    migrated = create_engine(f"sqlite:///{tmp_path}/migrated.db")
    await migrate(migrated, Path(dbservice.__file__).parent / "migrations")
    created = create_engine(f"sqlite:///{tmp_path}/created.db")
    async with migrated.connect() as one, created.begin() as other:
        await other.run_sync(Base.metadata.create_all)
        assert await one.run_sync(differences) == []
        assert await one.run_sync(indexes) == await other.run_sync(indexes)
    await migrated.dispose()
    await created.dispose()
