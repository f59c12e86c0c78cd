"""Whose a generation is, beside its state, and indexes on it; a photo's topic and album;
what the clock said."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_WHOSE = ("bot_id", "chat_id", "user_id")


def upgrade() -> None:
    op.add_column("photos", sa.Column("message_thread_id", sa.BigInteger()))
    op.add_column("photos", sa.Column("media_group_id", sa.String()))
    op.drop_index("ix_photos_user", "photos")
    op.create_index("ix_photos_user", "photos", ["bot_id", "user_id", "media_group_id"])
    for name in _WHOSE:
        # In place: a table of years would take minutes to be made anew.
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("generations", column)
    names = ", ".join(_WHOSE)
    op.execute(
        f"UPDATE generations SET ({names}) ="  # noqa: S608
        f" (SELECT {names} FROM photos WHERE photos.id = generations.photo_id)"
    )
    op.drop_index("ix_generations_unclosed", "generations")
    for index, columns in (
        ("ix_generations_unclosed", ["bot_id", "user_id", "number"]),
        ("ix_generations_status", ["bot_id", "chat_id", "user_id", "closed_at", "number"]),
    ):
        op.create_index(
            index,
            "generations",
            columns,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
    op.create_index(
        "ix_generations_history", "generations", ["bot_id", "chat_id", "user_id", "number"]
    )
    op.create_table(
        "wall_clock",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("doubt_seconds", sa.Double(), nullable=False),
    )
