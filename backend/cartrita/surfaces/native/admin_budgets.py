"""Budget endpoints of admins: those of the keys, users and tenants whom they administer."""

from typing import Annotated

from fastapi import APIRouter, Depends

from cartrita.domain.budgets import BudgetSubject, SubjectKind
from cartrita.surfaces.dependencies import (
    AppServices,
    CurrentActor,
    CurrentPrincipal,
    PublicId,
    admin_only,
)
from cartrita.surfaces.native.budget_schemas import BudgetList, BudgetsBody
from cartrita.surfaces.native.request_bodies import JsonBody

router = APIRouter(prefix="/api/admin", tags=["admin"], dependencies=[Depends(admin_only)])
_Body = Annotated[BudgetsBody, Depends(JsonBody(BudgetsBody))]


@router.get("/keys/{key_id}/budgets")
async def get_key_budgets(
    principal: CurrentPrincipal, key_id: PublicId, services: AppServices
) -> BudgetList:
    """The budgets of a key, which are those of its successors too."""
    subject = BudgetSubject(SubjectKind.KEY, key_id)
    return BudgetList.of(await services.budgets.get(principal, subject))


@router.put("/keys/{key_id}/budgets")
async def replace_key_budgets(
    actor: CurrentActor, key_id: PublicId, body: _Body, services: AppServices
) -> BudgetList:
    """Give a key these budgets and no others. They count within a second."""
    subject = BudgetSubject(SubjectKind.KEY, key_id)
    return BudgetList.of(await services.budgets.replace(actor, subject, body.to_amounts()))


@router.get("/users/{user_id}/budgets")
async def get_user_budgets(
    principal: CurrentPrincipal, user_id: PublicId, services: AppServices
) -> BudgetList:
    """The budgets of a user, for all of its keys together."""
    subject = BudgetSubject(SubjectKind.USER, user_id)
    return BudgetList.of(await services.budgets.get(principal, subject))


@router.put("/users/{user_id}/budgets")
async def replace_user_budgets(
    actor: CurrentActor, user_id: PublicId, body: _Body, services: AppServices
) -> BudgetList:
    """Give a user these budgets and no others. They count within a second."""
    subject = BudgetSubject(SubjectKind.USER, user_id)
    return BudgetList.of(await services.budgets.replace(actor, subject, body.to_amounts()))


@router.get("/tenants/{tenant_id}/budgets")
async def get_tenant_budgets(
    principal: CurrentPrincipal, tenant_id: PublicId, services: AppServices
) -> BudgetList:
    """The budgets of a tenant, for all of its users together."""
    subject = BudgetSubject(SubjectKind.TENANT, tenant_id)
    return BudgetList.of(await services.budgets.get(principal, subject))


@router.put("/tenants/{tenant_id}/budgets")
async def replace_tenant_budgets(
    actor: CurrentActor, tenant_id: PublicId, body: _Body, services: AppServices
) -> BudgetList:
    """Give a tenant these budgets and no others. Only an admin of the server may."""
    subject = BudgetSubject(SubjectKind.TENANT, tenant_id)
    return BudgetList.of(await services.budgets.replace(actor, subject, body.to_amounts()))
