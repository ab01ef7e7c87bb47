"""Budgets of keys, users and tenants: set by who administers them, seen by who has them.

What others administer raises NotFound like what is missing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from cartrita.application.accounts.tenants import Tenants
from cartrita.application.accounts.users import Users
from cartrita.application.keys.api_keys import ApiKeys
from cartrita.domain.audit import Actor, Change
from cartrita.domain.budgets import (
    Budget,
    BudgetPeriod,
    BudgetState,
    BudgetSubject,
    BudgetUnit,
    SubjectKind,
)
from cartrita.domain.errors import InvalidInput
from cartrita.domain.ports.budgets import BudgetStore
from cartrita.domain.principals import Principal
from cartrita.domain.usage import MOST_TOKENS
from cartrita.kit import clock


class BudgetAmount(msgspec.Struct, frozen=True):
    """What may be used in each of these periods: US dollars, or tokens of input and output."""

    period: BudgetPeriod
    unit: BudgetUnit
    amount: Decimal


_MOST_MONEY: Final = Decimal(10**12)
_LEAST_MONEY: Final = Decimal("0.000001")


class Budgets:
    """All methods raise Forbidden for callers who do not administer the subject."""

    def __init__(
        self,
        store: BudgetStore,
        tenants: Tenants,
        users: Users,
        keys: ApiKeys,
        *,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._store = store
        self._tenants = tenants
        self._users = users
        self._keys = keys
        self._now = now

    async def get(self, by: Principal, subject: BudgetSubject) -> list[BudgetState]:
        """The budgets of a subject, and what was used of them. Raises NotFound."""
        by.require_admin()
        await self._tenant_of(by, subject)
        return await self._store.states([subject], self._now())

    async def replace(
        self, actor: Actor, subject: BudgetSubject, amounts: Sequence[BudgetAmount]
    ) -> list[BudgetState]:
        """Give a subject these budgets and no others; those of a tenant are set by the operator.

        They count at once, with what was used of those before them in the current periods. Raises
        NotFound and InvalidInput.
        """
        actor.principal.require_admin()
        if subject.kind is SubjectKind.TENANT:
            actor.principal.require_operator()
        tenant_id = await self._tenant_of(actor.principal, subject)
        for one in amounts:
            _check(one)
        budgets = [Budget(subject, one.period, one.unit, one.amount) for one in amounts]
        change = Change(
            actor=actor,
            action=f"{subject.kind}.budget",
            object=subject.id,
            tenant_id=tenant_id,
            details={f"{one.period}_{one.unit}": str(one.amount) for one in amounts},
        )
        await self._store.replace(subject, budgets, change)
        return await self.get(actor.principal, subject)

    async def of_caller(self, principal: Principal) -> list[BudgetState]:
        """The budgets that the calls of a key count against.

        What was used of a tenant's tells of other users, so that only its admins see it.
        """
        known = await self._store.all()
        found = known.of(principal.key_id, principal.owner_id, principal.tenant_id)
        shown = {
            one.subject
            for one in found
            if principal.admin or one.subject.kind is not SubjectKind.TENANT
        }
        return await self._store.states(shown, self._now()) if shown else []

    async def _tenant_of(self, by: Principal, subject: BudgetSubject) -> str:
        """The tenant that a subject is, or is in. Raises NotFound."""
        if subject.kind is SubjectKind.TENANT:
            return (await self._tenants.get(by, subject.id)).id
        owner = subject.id
        if subject.kind is SubjectKind.KEY:
            owner = (await self._keys.get(by, subject.id)).owner_id
        return (await self._users.get(by, owner)).tenant_id


def _check(one: BudgetAmount) -> None:
    """Raise InvalidInput for an amount that is not, or cannot be reckoned with."""
    if one.unit is BudgetUnit.TOKENS:
        most, step = Decimal(MOST_TOKENS), Decimal(1)
        told = f"choose a whole number from 0 to {MOST_TOKENS:,}"
    else:
        most, step = _MOST_MONEY - _LEAST_MONEY, _LEAST_MONEY
        told = f"choose a number from 0, less than {_MOST_MONEY:,}, of six decimal places at most"
    if not one.amount.is_finite() or not 0 <= one.amount <= most or one.amount % step:
        raise InvalidInput.of(f"{one.period}.{one.unit}", told)
