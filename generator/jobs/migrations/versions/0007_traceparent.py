"""Which trace a job belongs to, whoever computes it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("traceparent", sa.Text))


def downgrade() -> None:
    op.drop_column("jobs", "traceparent")
