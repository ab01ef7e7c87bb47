"""User endpoints of admins: the users of the tenants that they administer."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cartrita.surfaces.dependencies import (
    AppServices,
    CurrentActor,
    CurrentPrincipal,
    PublicId,
    Storable,
    admin_only,
)
from cartrita.surfaces.native.account_schemas import NewUser, UserPatch, UserView
from cartrita.surfaces.native.paging import Limit, PageCursor, PageOf
from cartrita.surfaces.native.request_bodies import JsonBody

router = APIRouter(prefix="/api/admin", tags=["admin"], dependencies=[Depends(admin_only)])


@router.get("/users")
async def list_users(
    principal: CurrentPrincipal,
    services: AppServices,
    tenant_id: Annotated[Storable | None, Query(max_length=255)] = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> PageOf[UserView]:
    """The users of a tenant, or all whom you administer, in the order of their ids."""
    page = await services.users.page(principal, tenant_id, cursor, limit)
    views = [UserView.of_user(user) for user in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


@router.post("/users", status_code=201)
async def create_user(
    actor: CurrentActor,
    body: Annotated[NewUser, Depends(JsonBody(NewUser))],
    services: AppServices,
) -> UserView:
    """Make a user of a tenant, who has no key yet."""
    user = await services.users.create(
        actor, body.id, body.tenant_id, name=body.name, role=body.role
    )
    return UserView.of_user(user)


@router.get("/users/{user_id}")
async def get_user(
    principal: CurrentPrincipal, user_id: PublicId, services: AppServices
) -> UserView:
    """A user."""
    return UserView.of_user(await services.users.get(principal, user_id))


@router.patch("/users/{user_id}")
async def change_user(
    actor: CurrentActor,
    user_id: PublicId,
    body: Annotated[UserPatch, Depends(JsonBody(UserPatch))],
    services: AppServices,
) -> UserView:
    """Rename a user, change its role, or disable it; then its keys stop and its streams are cut."""
    changed = await services.users.change(actor, user_id, body.to_changes())
    return UserView.of_user(changed)
