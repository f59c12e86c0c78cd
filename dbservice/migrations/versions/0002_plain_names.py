"""Columns by their field's names; what was written and never read goes."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Not in batch mode, which makes the tables anew: SQLite renames and drops columns in place.
    op.execute("ALTER TABLE photos RENAME COLUMN words TO user_text")
    op.execute("ALTER TABLE generations RENAME COLUMN told TO user_notified")
    op.drop_column("generations", "updated_at")
