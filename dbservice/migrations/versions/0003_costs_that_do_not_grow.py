"""The topic of a photo."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("photos", sa.Column("message_thread_id", sa.BigInteger()))
