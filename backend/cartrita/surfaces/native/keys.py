"""Key endpoints: who one is, and one's own API keys."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends

from cartrita.application.keys.brought_keys import is_brought
from cartrita.domain.accounts import UserRole
from cartrita.domain.api_keys import KeyFilter
from cartrita.domain.scopes import Operation
from cartrita.surfaces.dependencies import (
    AppServices,
    CurrentActor,
    CurrentPrincipal,
    PublicId,
    Requires,
)
from cartrita.surfaces.native.account_schemas import (
    IssuedKeyView,
    KeyPatch,
    KeyRotation,
    KeyView,
    Me,
    NewKey,
    ScopesView,
)
from cartrita.surfaces.native.paging import Limit, PageCursor, PageOf
from cartrita.surfaces.native.request_bodies import JsonBody

me_router = APIRouter(prefix="/api/me", tags=["keys"])
router = APIRouter(
    prefix="/api/keys", tags=["keys"], dependencies=[Depends(Requires(Operation.KEYS))]
)


@me_router.get("")
async def get_me(principal: CurrentPrincipal, services: AppServices) -> Me:
    """The user whose key this is, and what the key may do.

    With the key of a provider that is a user without a name, who has nothing but what was made with
    the same key.
    """
    name, role = "", UserRole.MEMBER
    if not is_brought(principal.owner_id):
        user = await services.users.get(principal, principal.owner_id)
        name, role = user.name, user.role
    return Me(
        owner_id=principal.owner_id,
        name=name,
        tenant_id=principal.tenant_id,
        role=role,
        admin=principal.admin,
        operator=principal.operator,
        key_id=principal.key_id,
        scopes=ScopesView.of(principal.scopes),
    )


@router.get("")
async def list_keys(
    principal: CurrentPrincipal, services: AppServices, limit: Limit = 50, cursor: PageCursor = None
) -> PageOf[KeyView]:
    """Your keys, the oldest first, with those that have ended."""
    page = await services.api_keys.page(
        principal, KeyFilter(owner_id=principal.owner_id), cursor, limit
    )
    views = [KeyView.of(key) for key in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


@router.post("", status_code=201)
async def create_key(
    actor: CurrentActor,
    body: Annotated[NewKey, Depends(JsonBody(NewKey))],
    services: AppServices,
) -> IssuedKeyView:
    """Make a key for yourself, which may do no more than the one that asks."""
    key, secret = await services.api_keys.create(
        actor,
        actor.principal.owner_id,
        body.name,
        scopes=None if body.scopes is None else body.scopes.to_scopes(),
        expires_at=body.expires_at,
    )
    return IssuedKeyView.issued(key, secret)


@router.get("/{key_id}")
async def get_key(principal: CurrentPrincipal, key_id: PublicId, services: AppServices) -> KeyView:
    """One of your keys."""
    return KeyView.of(await services.api_keys.get(principal, key_id))


@router.patch("/{key_id}")
async def change_key(
    actor: CurrentActor,
    key_id: PublicId,
    body: Annotated[KeyPatch, Depends(JsonBody(KeyPatch))],
    services: AppServices,
) -> KeyView:
    """Change a key; it counts at once. Streams of a key that may do less now are cut."""
    changed = await services.api_keys.change(
        actor,
        key_id,
        name=body.name,
        scopes=None if body.scopes is None else body.scopes.to_scopes(),
        expires_at=body.expires_at,
    )
    return KeyView.of(changed)


@router.post("/{key_id}/rotate", status_code=201)
async def rotate_key(
    actor: CurrentActor,
    key_id: PublicId,
    body: Annotated[KeyRotation, Depends(JsonBody(KeyRotation, optional=True))],
    services: AppServices,
) -> IssuedKeyView:
    """Make the successor of a key, with the same scopes; the old one works for a while more."""
    seconds = body.overlap_seconds
    overlap = None if seconds is None else timedelta(seconds=seconds)
    key, secret = await services.api_keys.rotate(actor, key_id, overlap=overlap)
    return IssuedKeyView.issued(key, secret)


@router.post("/{key_id}/revoke")
async def revoke_key(actor: CurrentActor, key_id: PublicId, services: AppServices) -> KeyView:
    """End a key and what streams with it. Idempotent."""
    return KeyView.of(await services.api_keys.revoke(actor, key_id))
