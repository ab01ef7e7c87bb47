"""Key endpoints of admins: the keys of all users whom they administer."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cartrita.domain.api_keys import KeyFilter
from cartrita.surfaces.dependencies import (
    AppServices,
    CurrentActor,
    CurrentPrincipal,
    PublicId,
    Storable,
    admin_only,
)
from cartrita.surfaces.native import keys
from cartrita.surfaces.native.account_schemas import (
    IssuedKeyView,
    KeyPatch,
    KeyRotation,
    KeyView,
    NewKeyOfUser,
)
from cartrita.surfaces.native.paging import Limit, PageCursor, PageOf
from cartrita.surfaces.native.request_bodies import JsonBody

router = APIRouter(prefix="/api/admin/keys", tags=["admin"], dependencies=[Depends(admin_only)])


@router.get("", name="list_all_keys")
async def list_keys(
    principal: CurrentPrincipal,
    services: AppServices,
    owner_id: Annotated[Storable | None, Query(max_length=255)] = None,
    tenant_id: Annotated[Storable | None, Query(max_length=255)] = None,
    limit: Limit = 50,
    cursor: PageCursor = None,
) -> PageOf[KeyView]:
    """The keys of a user, of a tenant, or all, the oldest first."""
    which = KeyFilter(owner_id=owner_id, tenant_id=tenant_id)
    page = await services.api_keys.page(principal, which, cursor, limit)
    views = [KeyView.of(key) for key in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


@router.post("", name="create_key_of_user", status_code=201)
async def create_key(
    actor: CurrentActor,
    body: Annotated[NewKeyOfUser, Depends(JsonBody(NewKeyOfUser))],
    services: AppServices,
) -> IssuedKeyView:
    """Make a key for a user, which may do no more than the one that asks."""
    key, secret = await services.api_keys.create(
        actor,
        body.owner_id,
        body.name,
        scopes=None if body.scopes is None else body.scopes.to_scopes(),
        expires_at=body.expires_at,
    )
    return IssuedKeyView.issued(key, secret)


@router.get("/{key_id}", name="get_any_key")
async def get_key(principal: CurrentPrincipal, key_id: PublicId, services: AppServices) -> KeyView:
    """A key."""
    return await keys.get_key(principal, key_id, services)


@router.patch("/{key_id}", name="change_any_key")
async def change_key(
    actor: CurrentActor,
    key_id: PublicId,
    body: Annotated[KeyPatch, Depends(JsonBody(KeyPatch))],
    services: AppServices,
) -> KeyView:
    """Change a key; it counts at once. Streams of a key that may do less now are cut."""
    return await keys.change_key(actor, key_id, body, services)


@router.post("/{key_id}/rotate", name="rotate_any_key", status_code=201)
async def rotate_key(
    actor: CurrentActor,
    key_id: PublicId,
    body: Annotated[KeyRotation, Depends(JsonBody(KeyRotation, optional=True))],
    services: AppServices,
) -> IssuedKeyView:
    """Make the successor of a key, with the same scopes; the old one works for a while more."""
    return await keys.rotate_key(actor, key_id, body, services)


@router.post("/{key_id}/revoke", name="revoke_any_key")
async def revoke_key(actor: CurrentActor, key_id: PublicId, services: AppServices) -> KeyView:
    """End a key and what streams with it. Idempotent."""
    return await keys.revoke_key(actor, key_id, services)
