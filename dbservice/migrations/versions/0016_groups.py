"""Groups: the style of the first picture of a photo, as a user or a group chooses it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column(
        "user_settings", sa.Column("style", sa.String(), nullable=False, server_default="")
    )
