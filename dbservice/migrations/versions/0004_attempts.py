"""How often a process died while it worked on a generation."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "generations", sa.Column("attempts", sa.BigInteger(), nullable=False, server_default="0")
    )
