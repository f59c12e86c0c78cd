"""Languages: in which one somebody is spoken to, and in which zone their days begin."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    for name in ("language", "time_zone"):
        op.add_column(
            "user_settings", sa.Column(name, sa.String(), nullable=False, server_default="")
        )
