"""Credential endpoints: keys of providers, stored and exchanged for keys of this server."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from cartrita.domain.scopes import Operation
from cartrita.kit.secret import Secret
from cartrita.surfaces.dependencies import (
    AppServices,
    CurrentActor,
    CurrentPrincipal,
    PublicId,
    Requires,
)
from cartrita.surfaces.inbound_limits import inbound_limits_of
from cartrita.surfaces.native.account_schemas import IssuedKeyView
from cartrita.surfaces.native.credential_schemas import (
    CredentialRotation,
    CredentialView,
    ExchangedCredential,
    NewCredential,
)
from cartrita.surfaces.native.paging import Limit, PageCursor, PageOf
from cartrita.surfaces.native.request_bodies import JsonBody

router = APIRouter(
    prefix="/api/credentials",
    tags=["credentials"],
    dependencies=[Depends(Requires(Operation.KEYS))],
)


@router.post("", status_code=201)
async def exchange_credential(
    request: Request,
    actor: CurrentActor,
    body: Annotated[NewCredential, Depends(JsonBody(NewCredential))],
    services: AppServices,
) -> ExchangedCredential:
    """Store a provider's key, for a key of this server that may use that provider only.

    The provider is asked once whether it accepts it. Your own key goes before your tenant's, and
    that before the server's. A new one replaces the one before it.
    """
    with inbound_limits_of(request).guessing(request):
        credential, key, secret = await services.credentials.exchange(
            actor, body.provider, Secret(body.key), shared=body.shared
        )
    return ExchangedCredential(
        credential=CredentialView.of(credential), api_key=IssuedKeyView.issued(key, secret)
    )


@router.get("")
async def list_credentials(
    principal: CurrentPrincipal, services: AppServices, limit: Limit = 50, cursor: PageCursor = None
) -> PageOf[CredentialView]:
    """Your credentials and those of your tenant, the oldest first, with those that have ended."""
    page = await services.credentials.page(principal, cursor, limit)
    views = [CredentialView.of(credential) for credential in page.items]
    return PageOf(items=views, next_cursor=page.next_cursor)


@router.get("/{credential_id}")
async def get_credential(
    principal: CurrentPrincipal, credential_id: PublicId, services: AppServices
) -> CredentialView:
    """One of them."""
    return CredentialView.of(await services.credentials.get(principal, credential_id))


@router.post("/{credential_id}/rotate", status_code=201)
async def rotate_credential(
    request: Request,
    actor: CurrentActor,
    credential_id: PublicId,
    body: Annotated[CredentialRotation, Depends(JsonBody(CredentialRotation))],
    services: AppServices,
) -> CredentialView:
    """Replace a credential by another key of the provider, which pays for all new answers.

    Answers that had begun are paid by the old one, for a day if you do not say otherwise.
    """
    seconds = body.overlap_seconds
    overlap = None if seconds is None else timedelta(seconds=seconds)
    with inbound_limits_of(request).guessing(request):
        rotated = await services.credentials.rotate(
            actor, credential_id, Secret(body.key), overlap=overlap
        )
    return CredentialView.of(rotated)


@router.delete("/{credential_id}")
async def revoke_credential(
    actor: CurrentActor, credential_id: PublicId, services: AppServices
) -> CredentialView:
    """End a credential, delete its key, and cut the answers that it pays. Idempotent."""
    return CredentialView.of(await services.credentials.revoke(actor, credential_id))
