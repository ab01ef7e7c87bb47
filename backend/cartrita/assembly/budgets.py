"""The budgets: what this process leases of them, by the settings and the prices."""

from decimal import Decimal

from cartrita.adapters.persistence.budgets import BudgetTable
from cartrita.adapters.persistence.database import Database
from cartrita.domain.models import OFFLINE
from cartrita.gateway.budgeting import Budgeting
from cartrita.gateway.pricing import Pricing
from cartrita.gateway.reservations import BudgetPolicy
from cartrita.settings import Settings


async def open_budgeting(settings: Settings, database: Database, pricing: Pricing) -> Budgeting:
    """Learn which budgets there are; the built-in model costs nothing."""
    config = settings.budgets
    policy = BudgetPolicy(
        block=Decimal(str(config.block)),
        output_tokens=config.output_tokens,
        unpriced=config.unpriced == "allow",
        free=frozenset({OFFLINE}),
    )
    budgets = Budgeting(BudgetTable(database), pricing.price, policy)
    await budgets.refresh()
    return budgets
