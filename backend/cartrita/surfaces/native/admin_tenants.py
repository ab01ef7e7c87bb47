"""Tenant endpoints of admins: the own tenant, and all of them for those of the server."""

from typing import Annotated

from fastapi import APIRouter, Depends

from cartrita.surfaces.dependencies import (
    AppServices,
    CurrentActor,
    CurrentPrincipal,
    PublicId,
    admin_only,
)
from cartrita.surfaces.native.account_schemas import NewTenant, TenantPatch, TenantView
from cartrita.surfaces.native.paging import Limit, PageCursor, PageOf
from cartrita.surfaces.native.request_bodies import JsonBody

router = APIRouter(prefix="/api/admin", tags=["admin"], dependencies=[Depends(admin_only)])


@router.get("/tenants")
async def list_tenants(
    principal: CurrentPrincipal, services: AppServices, limit: Limit = 50, cursor: PageCursor = None
) -> PageOf[TenantView]:
    """The tenants, in the order of their ids; for the admin of a tenant that one."""
    page = await services.tenants.page(principal, cursor, limit)
    views = [TenantView.of(tenant) for tenant in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


@router.post("/tenants", status_code=201)
async def create_tenant(
    actor: CurrentActor,
    body: Annotated[NewTenant, Depends(JsonBody(NewTenant))],
    services: AppServices,
) -> TenantView:
    """Make a tenant. Only an admin of the server may."""
    return TenantView.of(await services.tenants.create(actor, body.id, body.name))


@router.get("/tenants/{tenant_id}")
async def get_tenant(
    principal: CurrentPrincipal, tenant_id: PublicId, services: AppServices
) -> TenantView:
    """A tenant."""
    return TenantView.of(await services.tenants.get(principal, tenant_id))


@router.patch("/tenants/{tenant_id}")
async def change_tenant(
    actor: CurrentActor,
    tenant_id: PublicId,
    body: Annotated[TenantPatch, Depends(JsonBody(TenantPatch))],
    services: AppServices,
) -> TenantView:
    """Rename a tenant, or disable it, which only an admin of the server may; its keys stop then."""
    changed = await services.tenants.change(actor, tenant_id, body.to_changes())
    return TenantView.of(changed)
