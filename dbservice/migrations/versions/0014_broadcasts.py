"""Broadcasts, to whom one is just being sent, and who wants none."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "broadcasts",
        sa.Column("bot_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("source_message_id", sa.BigInteger(), nullable=False),
        sa.Column("language_code", sa.String(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("total", "sent", "blocked", "failed", "left_out", "step", "after")
        ),
        sa.Column("last_user_id", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", _TIME, nullable=False),
        sa.Column("closed_at", _TIME),
        sqlite_with_rowid=False,
    )
    unclosed = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_broadcasts_unclosed",
        "broadcasts",
        ["bot_id"],
        unique=True,
        sqlite_where=unclosed,
        postgresql_where=unclosed,
    )
    op.create_table(
        "broadcasts_in_flight",
        sa.Column("bot_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.add_column(
        "user_settings",
        sa.Column("news", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
