"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_IMAGE = (
    ("image_media_type", sa.String()),
    ("image_width", sa.BigInteger()),
    ("image_height", sa.BigInteger()),
    ("image_size", sa.BigInteger()),
    ("image_sha256", sa.String()),
)


def upgrade() -> None:
    op.create_table(
        "photos",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("language_code", sa.String(), nullable=False),
        sa.Column("file_id", sa.String(), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, kind) for name, kind in _IMAGE),
        sa.Column("caption_text", sa.String()),
        sa.Column("caption_confidence", sa.Double()),
        sa.Column("caption_captioner", sa.String()),
        sa.Column("caption_model", sa.String()),
        sa.Column("caption_message_id", sa.BigInteger()),
    )
    op.create_index("ix_photos_user", "photos", ["bot_id", "user_id", "chat_id"])
    op.create_table(
        "generations",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("photo_id", sa.String(36), sa.ForeignKey("photos.id"), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("negative_prompt", sa.String(), nullable=False),
        sa.Column("preset", sa.String(), nullable=False),
        sa.Column("width", sa.BigInteger()),
        sa.Column("height", sa.BigInteger()),
        sa.Column("steps", sa.BigInteger()),
        sa.Column("guidance_scale", sa.Double()),
        sa.Column("seed", sa.BigInteger()),
        sa.Column("status_after", sa.BigInteger()),
        sa.Column("status_message_id", sa.BigInteger()),
        sa.Column("delivery_intended", sa.Boolean(), nullable=False),
        sa.Column("result_message_id", sa.BigInteger()),
        sa.Column("told", sa.Boolean(), nullable=False),
        *(sa.Column(name, kind) for name, kind in _IMAGE),
        sa.Column("picture_seed", sa.BigInteger()),
        sa.Column("picture_model", sa.String()),
        sa.Column("picture_file_id", sa.String()),
        sa.Column("error_code", sa.String()),
        sa.Column("error_message", sa.String()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("lease_holder", sa.String()),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True)),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("photo_id", "n"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_generations_unclosed",
        "generations",
        ["number"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table("removals", sa.Column("key", sa.String(36), primary_key=True))
