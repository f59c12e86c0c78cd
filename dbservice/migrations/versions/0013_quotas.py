"""Quotas: what of a day's is used up, what was done on which day, and how long it took."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_DONE = (
    "SELECT bot_id, date(received_at, 'localtime') AS day, 1 AS photos, 0 AS pictures"
    " FROM photos WHERE file_id <> ''"
    " UNION ALL"
    " SELECT bot_id, date(created_at, 'localtime'), 0, 1 FROM generations"
    " WHERE pictures = 1 AND state IN ('finished', 'delivered')"
)


def upgrade() -> None:
    op.create_table(
        "quota_shares",
        sa.Column("who", sa.String(64), primary_key=True),
        sa.Column("pictures", sa.BigInteger(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_quota_shares_end", "quota_shares", ["ends_at"])
    counts = ("photos", "pictures", "refusals", "captions")
    op.create_table(
        "day_totals",
        sa.Column("bot_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date(), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in counts),
        sqlite_with_rowid=False,
    )
    # Rows of before are in a SQLite file: with PostgreSQL, which lacks this `date`, there are none.
    if op.get_bind().execute(sa.text("SELECT id FROM photos LIMIT 1")).first() is not None:
        op.execute(
            "INSERT INTO day_totals"  # noqa: S608
            " (bot_id, day, photos, pictures, refusals, captions)"
            f" SELECT bot_id, day, SUM(photos), SUM(pictures), 0, 0 FROM ({_DONE}) AS done"
            " GROUP BY bot_id, day"
        )
    for column in (
        sa.Column("painting_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("in_share", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("goes_on_at", sa.String()),
    ):
        op.add_column("generations", column)
    op.create_index("ix_generations_created", "generations", ["bot_id", "created_at", "user_id"])
