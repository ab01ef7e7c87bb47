"""`cartrita budgets set | show`."""

import argparse
import asyncio
from decimal import Decimal, InvalidOperation

from cartrita.application.budgets import BudgetAmount
from cartrita.cli.authentication import open_authentication
from cartrita.domain.audit import COMMAND_LINE
from cartrita.domain.budgets import (
    BudgetPeriod,
    BudgetState,
    BudgetSubject,
    BudgetUnit,
    SubjectKind,
)
from cartrita.domain.errors import InvalidInput
from cartrita.settings import Settings


def run(settings: Settings, given: argparse.Namespace) -> None:
    asyncio.run(_run(settings, given))


async def _run(settings: Settings, given: argparse.Namespace) -> None:
    subject = BudgetSubject(SubjectKind(given.kind), given.id)
    amounts = _amounts(given) if given.verb == "set" else None
    async with open_authentication(settings) as authentication:
        budgets = authentication.budgets
        if amounts is None:
            states = await budgets.get(COMMAND_LINE.principal, subject)
        else:
            states = await budgets.replace(COMMAND_LINE, subject, amounts)
    if not states:
        print(f"The {subject.kind} {subject.id} has no budget.")
    for state in states:
        print(_line(state))


def _amounts(given: argparse.Namespace) -> list[BudgetAmount]:
    found: list[BudgetAmount] = []
    for period in BudgetPeriod:
        for unit in BudgetUnit:
            text = getattr(given, f"{period}_{unit}")
            if text is not None:
                found.append(BudgetAmount(period, unit, _number(f"--{period}-{unit}", text)))
    return found


def _number(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InvalidInput.of(option, f"{text} is no number") from None


def _line(state: BudgetState) -> str:
    budget = state.budget
    unit = "US dollars" if budget.unit is BudgetUnit.MONEY else "tokens"
    return f"{budget.amount:f} {unit} a {budget.period}, of which {state.used:f} are used"
