"""Columns by their field's names, bytes by keys of their own; what was never read goes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Not in batch mode, which makes the tables anew: SQLite renames and drops columns in place.
    op.execute("ALTER TABLE photos RENAME COLUMN words TO user_text")
    op.execute("ALTER TABLE generations RENAME COLUMN told TO user_notified")
    op.drop_column("generations", "updated_at")
    for table in ("photos", "generations"):
        op.add_column(table, sa.Column("image_key", sa.String()))
        # Until now a row's bytes were in a file named by its id, and there they stay.
        op.execute(f"UPDATE {table} SET image_key = id WHERE image_sha256 IS NOT NULL")  # noqa: S608
        op.create_index(
            f"ix_{table}_image_key",
            table,
            ["image_key"],
            sqlite_where=sa.text("image_key IS NOT NULL"),
            postgresql_where=sa.text("image_key IS NOT NULL"),
        )
    op.create_table("pending_deletions", sa.Column("key", sa.String(), primary_key=True))
    op.execute("INSERT INTO pending_deletions (key) SELECT key FROM removals")
    op.drop_table("removals")
