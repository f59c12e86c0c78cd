"""The migrations make the tables that the models describe."""

from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

import dbservice
from dbservice.models import Base
from lookalike.database import create_engine, migrate


def test_models_and_migrations_agree(tmp_path: Path) -> None:
    def indexes(connection: Connection) -> Any:
        query = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'ix_%' ORDER BY name"
        return connection.exec_driver_sql(query).all()

    migrated = create_engine(f"sqlite:///{tmp_path}/migrated.db")
    migrate(migrated, Path(dbservice.__file__).parent / "migrations")
    created = create_engine(f"sqlite:///{tmp_path}/created.db")
    with migrated.connect() as one, created.begin() as other:
        Base.metadata.create_all(other)
        assert compare_metadata(MigrationContext.configure(one), Base.metadata) == []
        assert indexes(one) == indexes(other)
    migrated.dispose()
    created.dispose()
