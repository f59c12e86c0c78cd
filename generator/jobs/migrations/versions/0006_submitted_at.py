"""Since when jobs wait."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("submitted_at", sa.Double))  # null: nobody knows any more


def downgrade() -> None:
    op.drop_column("jobs", "submitted_at")
