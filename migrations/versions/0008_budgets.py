"""Budgets of keys, users and tenants, and what was used of them in each period."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    """
CREATE TABLE budgets (
  subject_kind text NOT NULL CHECK (subject_kind IN ('key', 'user', 'tenant')),
  subject_id text NOT NULL,
  period text NOT NULL CHECK (period IN ('day', 'month')),
  unit text NOT NULL CHECK (unit IN ('money', 'tokens')),
  amount numeric NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (subject_kind, subject_id, period, unit)
)""",
    # `most` follows the budget's amount with each lease. What was used before that was lowered
    # stays used. Each row is changed often, so that it has room for its next version beside it.
    """
CREATE TABLE budget_spending (
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  period text NOT NULL,
  unit text NOT NULL,
  since date NOT NULL,
  most numeric NOT NULL,
  settled numeric NOT NULL DEFAULT 0 CHECK (settled >= 0),
  leased numeric NOT NULL DEFAULT 0 CHECK (leased >= 0),
  overrun numeric NOT NULL DEFAULT 0 CHECK (overrun >= 0),
  PRIMARY KEY (subject_kind, subject_id, period, unit, since),
  CONSTRAINT budget_spending_within_budget CHECK (settled + leased <= most)
) WITH (fillfactor = 50)""",
    "CREATE INDEX ON budget_spending (since)",
    """
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE ON budgets
FOR EACH STATEMENT EXECUTE FUNCTION cartrita_access_changed()""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
