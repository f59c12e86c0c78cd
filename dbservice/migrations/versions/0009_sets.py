"""Sets: several pictures that are asked for at once, and how many somebody wants."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_MEMBERS = sa.text("set_id IS NOT NULL")


def upgrade() -> None:
    for column in (
        # In place: a table of years would take minutes to be made anew.
        sa.Column("pictures", sa.BigInteger(), nullable=False, server_default="1"),
        sa.Column("set_id", sa.String(36)),
        sa.Column("place", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("choices_message_id", sa.BigInteger()),
    ):
        op.add_column("generations", column)
    op.create_index(
        "ix_generations_set",
        "generations",
        ["set_id", "place"],
        sqlite_where=_MEMBERS,
        postgresql_where=_MEMBERS,
    )
    op.add_column(
        "user_settings",
        sa.Column("pictures", sa.BigInteger(), nullable=False, server_default="0"),
    )
