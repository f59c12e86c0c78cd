"""Which trace a generation belongs to, whoever works on it, and whenever."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("generations", sa.Column("traceparent", sa.String()))
