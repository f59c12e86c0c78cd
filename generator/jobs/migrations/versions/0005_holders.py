"""Several generators share a queue: who they are, and what each tells the others of its jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    holders = op.create_table(
        "holders",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("alive_until", sa.Double, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
    )
    # The only one there was until now is dead: what it held is freed like that of any other.
    dead = {"name": "inprocess", "fence": 0, "alive_until": 0.0, "capacity": 0}
    op.bulk_insert(holders, [dead])
    op.add_column("jobs", sa.Column("batch", sa.BigInteger))
    step = sa.Column("step", sa.Integer, nullable=False, server_default="0")
    op.add_column("jobs", step)
    op.add_column("jobs", sa.Column("step_seconds", sa.Double))


def downgrade() -> None:
    for name in ("step_seconds", "step", "batch"):
        op.drop_column("jobs", name)
    op.drop_table("holders")
