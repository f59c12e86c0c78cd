"""Who may use a bot: its owner, whom they invited, and who is banned."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "owners",
        sa.Column("bot_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", _TIME, nullable=False),
    )
    for table, since in (("members", "joined_at"), ("bans", "banned_at")):
        op.create_table(
            table,
            sa.Column("bot_id", sa.BigInteger(), primary_key=True, autoincrement=False),
            sa.Column("user_id", sa.BigInteger(), primary_key=True, autoincrement=False),
            sa.Column(since, _TIME, nullable=False),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "invites",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("max_uses", sa.BigInteger(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("revoked_at", _TIME),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_invites_bot", "invites", ["bot_id", "number"])
