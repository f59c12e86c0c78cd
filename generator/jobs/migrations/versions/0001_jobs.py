"""The job queue's first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    clock = op.create_table(
        "clock",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("now", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(clock, [{"id": 1, "now": 0}])
    op.create_table(
        "owners",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("served", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("attendant", sa.Text),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("negative_prompt", sa.Text, nullable=False),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("guidance_scale", sa.Double, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.Text),
        sa.Column("lease_until", sa.Double),
        sa.Column("model", sa.Text),
        sa.Column("picture", sa.Text),
        sa.Column("picture_width", sa.Integer),
        sa.Column("picture_height", sa.Integer),
        sa.Column("sha256", sa.Text),
        sa.Column("error_code", sa.Text),
        sa.Column("error_words", sa.Text),
        sa.Column("ended_at", sa.Double),
    )
    op.create_index("jobs_state", "jobs", ["state"])
    op.create_index("jobs_owner", "jobs", ["owner"])
    op.create_index("jobs_ended_at", "jobs", ["ended_at"])


def downgrade() -> None:
    op.drop_table("jobs")
    op.drop_table("owners")
    op.drop_table("clock")
