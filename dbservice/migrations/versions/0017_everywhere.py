"""Everywhere: a user's pictures of all chats, and what is posted in channels."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_PICTURES = sa.text("image_key IS NOT NULL")


def upgrade() -> None:
    op.add_column(
        "photos",
        sa.Column("channel_post", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index(
        "ix_generations_of_user",
        "generations",
        ["bot_id", "user_id", "number"],
        sqlite_where=_PICTURES,
        postgresql_where=_PICTURES,
    )
