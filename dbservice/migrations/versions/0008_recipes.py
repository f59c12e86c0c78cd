"""What a picture is made of, and what it follows from; what users have chosen; albums."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_PICTURES = sa.text("image_key IS NOT NULL")


def upgrade() -> None:
    op.add_column("photos", sa.Column("caption_guesses", sa.JSON()))
    op.add_column("photos", sa.Column("album_text", sa.String()))
    op.add_column("photos", sa.Column("album_newest_at", sa.DateTime(timezone=True)))
    for column in (
        # In place: a table of years would take minutes to be made anew.
        sa.Column("dial", sa.String(16), nullable=False, server_default="dream"),
        sa.Column("style", sa.String(), nullable=False, server_default=""),
        sa.Column("words", sa.String(), nullable=False, server_default=""),
        sa.Column("parent_id", sa.String(36)),
        sa.Column("button", sa.String()),
        sa.Column("request_id", sa.String()),
        sa.Column("presses", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("reply_to_message_id", sa.BigInteger()),
        sa.Column("starred", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("generations", column)
    for name, columns, unique in (
        ("request", ["bot_id", "request_id"], True),
        ("parent", ["parent_id", "button"], False),
    ):
        given = sa.text(f"{columns[-1] if unique else columns[0]} IS NOT NULL")
        op.create_index(
            f"ix_generations_{name}",
            "generations",
            columns,
            unique=unique,
            sqlite_where=given,
            postgresql_where=given,
        )
    op.create_index(
        "ix_generations_pictures",
        "generations",
        ["bot_id", "chat_id", "user_id", "number"],
        sqlite_where=_PICTURES,
        postgresql_where=_PICTURES,
    )
    op.create_table(
        "user_settings",
        sa.Column("bot_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("dial", sa.String(16), nullable=False),
        sqlite_with_rowid=False,
    )
