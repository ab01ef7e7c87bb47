"""Endpoints of admins: tenants, users, and the log of what was changed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from cartrita.surfaces.dependencies import (
    AppServices,
    CurrentActor,
    CurrentPrincipal,
    PublicId,
    Storable,
    admin_only,
)
from cartrita.surfaces.native.account_schemas import (
    AuditEntryView,
    NewTenant,
    NewUser,
    TenantPatch,
    TenantView,
    UserPatch,
    UserView,
)
from cartrita.surfaces.native.paging import Limit, PageCursor
from cartrita.surfaces.native.request_bodies import JsonBody
from cartrita.surfaces.native.schemas import PageOf

router = APIRouter(prefix="/api/admin", tags=["admin"], dependencies=[Depends(admin_only)])


@router.get("/tenants")
async def list_tenants(
    principal: CurrentPrincipal, services: AppServices, limit: Limit = 50, cursor: PageCursor = None
) -> PageOf[TenantView]:
    """The tenants, in the order of their ids; for the admin of a tenant that one."""
    page = await services.accounts.tenants(principal, cursor, limit)
    views = [TenantView.of(tenant) for tenant in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


@router.post("/tenants", status_code=201)
async def create_tenant(
    actor: CurrentActor,
    body: Annotated[NewTenant, Depends(JsonBody(NewTenant))],
    services: AppServices,
) -> TenantView:
    """Make a tenant. Only an admin of the server may."""
    return TenantView.of(await services.accounts.create_tenant(actor, body.id, body.name))


@router.get("/tenants/{tenant_id}")
async def get_tenant(
    principal: CurrentPrincipal, tenant_id: PublicId, services: AppServices
) -> TenantView:
    """A tenant."""
    return TenantView.of(await services.accounts.tenant(principal, tenant_id))


@router.patch("/tenants/{tenant_id}")
async def change_tenant(
    actor: CurrentActor,
    tenant_id: PublicId,
    body: Annotated[TenantPatch, Depends(JsonBody(TenantPatch))],
    services: AppServices,
) -> TenantView:
    """Rename a tenant, or disable it, which only an admin of the server may; its keys stop then."""
    changed = await services.accounts.change_tenant(actor, tenant_id, body.to_changes())
    return TenantView.of(changed)


@router.get("/users")
async def list_users(
    principal: CurrentPrincipal,
    services: AppServices,
    tenant_id: Annotated[Storable | None, Query(max_length=255)] = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> PageOf[UserView]:
    """The users of a tenant, or all whom you administer, in the order of their ids."""
    page = await services.accounts.users(principal, tenant_id, cursor, limit)
    views = [UserView.of_user(user) for user in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


@router.post("/users", status_code=201)
async def create_user(
    actor: CurrentActor,
    body: Annotated[NewUser, Depends(JsonBody(NewUser))],
    services: AppServices,
) -> UserView:
    """Make a user of a tenant, who has no key yet."""
    user = await services.accounts.create_user(
        actor, body.id, body.tenant_id, name=body.name, role=body.role
    )
    return UserView.of_user(user)


@router.get("/users/{user_id}")
async def get_user(
    principal: CurrentPrincipal, user_id: PublicId, services: AppServices
) -> UserView:
    """A user."""
    return UserView.of_user(await services.accounts.user(principal, user_id))


@router.patch("/users/{user_id}")
async def change_user(
    actor: CurrentActor,
    user_id: PublicId,
    body: Annotated[UserPatch, Depends(JsonBody(UserPatch))],
    services: AppServices,
) -> UserView:
    """Rename a user, change its role, or disable it; then its keys stop and its streams are cut."""
    changed = await services.accounts.change_user(actor, user_id, body.to_changes())
    return UserView.of_user(changed)


@router.get("/audit")
async def list_audit_log(
    principal: CurrentPrincipal,
    services: AppServices,
    limit: Limit = 50,
    cursor: Annotated[UUID | None, Query(description="`next_cursor` of the page before.")] = None,
) -> PageOf[AuditEntryView]:
    """Who changed which key, user or tenant, the latest first."""
    page = await services.accounts.audit(principal, cursor, limit)
    views = [AuditEntryView.of(entry) for entry in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)
