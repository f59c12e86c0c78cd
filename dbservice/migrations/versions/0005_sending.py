"""What is about to be sent, whatever its kind, and which message is whose."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.execute("ALTER TABLE generations RENAME COLUMN status_after TO sending_after")
    for column in (
        sa.Column("sending", sa.String(16)),
        sa.Column("sending_unseen", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("ending_message_id", sa.BigInteger()),
    ):
        op.add_column("generations", column)
    op.execute("UPDATE generations SET sending = 'status' WHERE sending_after IS NOT NULL")
    # Of a lost status message the button remains.
    op.execute(
        "UPDATE generations SET sending = 'picture', sending_after ="
        " (SELECT message_id FROM photos WHERE photos.id = generations.photo_id)"
        " WHERE delivery_intended AND state = 'finished'"
    )
    op.drop_column("generations", "delivery_intended")
    op.create_table(
        "sent_messages",
        sa.Column("bot_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("chat_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column(
            "generation",
            _NUMBER,
            sa.ForeignKey("generations.number", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("kind", sa.String(16), nullable=False),
        sqlite_with_rowid=False,
    )
    for kind, field in (("caption", "p.caption_message_id"), ("picture", "g.result_message_id")):
        # A group that became a supergroup counts anew, so that two may have one number.
        op.execute(
            "INSERT INTO sent_messages (bot_id, chat_id, message_id, generation, kind)"  # noqa: S608
            f" SELECT g.bot_id, g.chat_id, {field}, g.number, '{kind}'"
            " FROM generations AS g JOIN photos AS p ON p.id = g.photo_id"
            f" WHERE {field} IS NOT NULL AND (g.n = 0 OR '{kind}' = 'picture')"
            " ON CONFLICT DO NOTHING"
        )
    op.create_index("ix_sent_messages_generation", "sent_messages", ["generation"])
