"""Jobs may start from pictures that were uploaded, and have proportions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_COLUMNS = {
    "init_sha256": sa.Text,
    "init_strength": sa.Text,
    "aspect_width": sa.Integer,
    "aspect_height": sa.Integer,
}


def upgrade() -> None:
    for name, kind in _COLUMNS.items():
        op.add_column("jobs", sa.Column(name, kind))
    op.create_table(
        "uploaded_images",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("png_sha256", sa.Text, nullable=False),
        sa.Column("used_at", sa.Double, nullable=False),
    )
    op.create_index("uploaded_images_used_at", "uploaded_images", ["used_at"])


def downgrade() -> None:
    op.drop_table("uploaded_images")
    for name in _COLUMNS:
        op.drop_column("jobs", name)
