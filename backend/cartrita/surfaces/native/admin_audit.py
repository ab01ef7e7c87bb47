"""The log of what was changed, as admins read it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal, admin_only
from cartrita.surfaces.native.account_schemas import AuditEntryView
from cartrita.surfaces.native.paging import Limit, PageOf

router = APIRouter(prefix="/api/admin", tags=["admin"], dependencies=[Depends(admin_only)])


@router.get("/audit")
async def list_audit_log(
    principal: CurrentPrincipal,
    services: AppServices,
    limit: Limit = 50,
    cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before.")] = None,
) -> PageOf[AuditEntryView]:
    """Who changed which key, user or tenant, the latest first."""
    page = await services.audit.page(principal, cursor, limit)
    views = [AuditEntryView.of(entry) for entry in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)
