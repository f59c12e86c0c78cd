"""Jobs say how they are computed. Those from before were all balanced."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    preset = sa.Column("preset", sa.Text, nullable=False, server_default="balanced")
    op.add_column("jobs", preset)


def downgrade() -> None:
    op.drop_column("jobs", "preset")
