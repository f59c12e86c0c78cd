"""How much is kept of each user and of all."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_OF_ROWS = " UNION ALL ".join(
    f"SELECT bot_id, user_id, image_size FROM {table} WHERE image_key IS NOT NULL"  # noqa: S608
    for table in ("photos", "generations")
)


def upgrade() -> None:
    op.create_table(
        "kept_of_users",
        sa.Column("bot_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "kept_of_all",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
    )
    op.execute(
        "INSERT INTO kept_of_users (bot_id, user_id, bytes)"  # noqa: S608
        f" SELECT bot_id, user_id, SUM(image_size) FROM ({_OF_ROWS}) AS kept"
        " GROUP BY bot_id, user_id"
    )
    op.execute(
        "INSERT INTO kept_of_all (id, bytes) SELECT 1, COALESCE(SUM(bytes), 0) FROM kept_of_users"
    )
