"""Tables and columns by the field's names."""

from alembic import op

revision = "0003"
down_revision = "0002"

_COLUMNS = (
    ("attendant", "waiter"),
    ("picture", "image_key"),
    ("picture_width", "image_width"),
    ("picture_height", "image_height"),
    ("sha256", "image_sha256"),
    ("error_words", "error_message"),
)


def upgrade() -> None:
    # Not in batch mode, which makes the tables anew: SQLite renames in place.
    op.execute("ALTER TABLE clock RENAME TO logical_clock")
    for old, new in _COLUMNS:
        op.execute(f"ALTER TABLE jobs RENAME COLUMN {old} TO {new}")


def downgrade() -> None:
    for old, new in _COLUMNS:
        op.execute(f"ALTER TABLE jobs RENAME COLUMN {new} TO {old}")
    op.execute("ALTER TABLE logical_clock RENAME TO clock")
