"""Credentials as they are managed: exchanged for API keys of this server, rotated and revoked.

A user reaches the own ones. Those of the tenant are seen by all of its users, and changed by its
admins. Those of others raise NotFound like missing ones.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Final

from msgspec.structs import replace

from cartrita.application.credentials.known_credentials import KnownCredentials
from cartrita.application.credentials.vault import CredentialVault
from cartrita.application.keys.api_keys import OVERLAP, ApiKeys
from cartrita.application.keys.provider_shapes import may_be_provider_key
from cartrita.domain.api_keys import ApiKey
from cartrita.domain.audit import Actor, Change
from cartrita.domain.credentials import (
    HINT_LENGTH,
    CredentialState,
    ProviderCredential,
    StoredCredential,
    providers_with,
)
from cartrita.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from cartrita.domain.ports.credentials import CredentialStore, KeyValidator
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation, Scopes
from cartrita.kit import clock
from cartrita.kit.pagination import Page
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_text

_USES: Final = (
    Operation.CHAT,
    Operation.EMBEDDINGS,
    Operation.SEARCH,
    Operation.VOICE,
    Operation.CONVERSATIONS,
)


class KeyRefused(InvalidInput):
    """A key that its provider does not accept."""


class Credentials:
    """The stored keys of providers. All of their changes are logged.

    `validator` is asked whether the provider accepts a key before that is stored.
    """

    def __init__(
        self,
        store: CredentialStore,
        vault: CredentialVault,
        known: KnownCredentials,
        validator: KeyValidator,
        api_keys: ApiKeys,
        *,
        overlap: timedelta = OVERLAP,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._store = store
        self._vault = vault
        self._known = known
        self._validator = validator
        self._api_keys = api_keys
        self._overlap = overlap
        self._now = now

    async def exchange(
        self, actor: Actor, provider: str, key: Secret, *, shared: bool = False
    ) -> tuple[ProviderCredential, ApiKey, Secret]:
        """Store a provider's key; an API key that may use this provider only, and its secret.

        Raises as `store` does.
        """
        credential = await self.store(actor, provider, key, shared=shared)
        by = actor.principal
        issued, secret = await self._api_keys.create(
            actor, by.owner_id, f"{provider} credential", scopes=_scopes(by.scopes, provider)
        )
        return credential, issued, secret

    async def store(
        self, actor: Actor, provider: str, key: Secret, *, shared: bool = False
    ) -> ProviderCredential:
        """Store a provider's key; with `shared` it pays for all users of the tenant.

        It replaces the one before it, unless it is that one. Raises NotFound, Forbidden,
        KeyRefused, and UpstreamError if the provider cannot be asked.
        """
        by = actor.principal
        if shared:
            by.require_admin()
        by.scopes.require_operation(Operation.KEYS)
        by.scopes.require_provider(provider)
        key = await self._valid(provider, key)
        owner_id = None if shared else by.owner_id
        latest = await self._store.latest(by.tenant_id, owner_id, provider)
        return await self._same(latest, key) or await self._replace(
            actor, "credential.create", owner_id, provider, key, latest, self._overlap
        )

    async def get(self, by: Principal, credential_id: str) -> ProviderCredential:
        """A credential. Raises NotFound."""
        return (await self._reached(by, credential_id)).credential

    async def page(self, by: Principal, after: str | None, limit: int) -> Page[ProviderCredential]:
        """The caller's own and those of the tenant, the oldest first, with those that ended."""
        found = await self._store.page(by.tenant_id, by.owner_id, after=after, limit=limit + 1)
        listed = found[:limit]
        return Page(listed, listed[-1].id if len(found) > limit else None)

    async def rotate(
        self, actor: Actor, credential_id: str, key: Secret, *, overlap: timedelta | None = None
    ) -> ProviderCredential:
        """Replace a credential by another key; what the old one pays now may end in `overlap`.

        Raises as `exchange` does, and Conflict for one that was replaced or revoked.
        """
        stored = await self._changed(actor.principal, credential_id)
        old = stored.credential
        if old.state(self._now()) is not CredentialState.ACTIVE:
            raise _not_current()
        actor.principal.scopes.require_provider(old.provider)
        key = await self._valid(old.provider, key)
        return await self._replace(
            actor,
            "credential.rotate",
            old.owner_id,
            old.provider,
            key,
            stored,
            self._overlap if overlap is None else overlap,
        )

    async def revoke(self, actor: Actor, credential_id: str) -> ProviderCredential:
        """End a credential, delete its key, and cut what it pays, everywhere within a second.

        Idempotent. Raises NotFound, and Forbidden for one of the tenant.
        """
        stored = await self._changed(actor.principal, credential_id)
        change = _change(actor, "credential.revoke", stored.credential)
        if await self._store.revoke(credential_id, self._now(), change):
            await self._known.refresh()
        return await self.get(actor.principal, credential_id)

    async def _valid(self, provider: str, key: Secret) -> Secret:
        """The key without spaces around it, if the provider accepts it."""
        text = key.reveal().strip()
        stripped = Secret(text)
        if may_be_provider_key(text) and await self._validator.accepts(provider, stripped):
            return stripped
        raise KeyRefused.of("key", f"{provider} does not accept this key")

    async def _same(
        self, latest: StoredCredential | None, key: Secret
    ) -> ProviderCredential | None:
        """The active credential, if this is its key."""
        if latest is None or latest.credential.state(self._now()) is not CredentialState.ACTIVE:
            return None
        try:
            return latest.credential if await self._vault.key_of(latest) == key else None
        except Unavailable as error:
            if error.retryable:
                raise
            return None  # whoever cannot decrypt it any more stores it again

    async def _replace(
        self,
        actor: Actor,
        action: str,
        owner_id: str | None,
        provider: str,
        key: Secret,
        latest: StoredCredential | None,
        overlap: timedelta,
    ) -> ProviderCredential:
        now = self._now()
        credential = ProviderCredential(
            id=token_hex(8),
            tenant_id=actor.principal.tenant_id,
            owner_id=owner_id,
            provider=provider,
            version=1 if latest is None else latest.credential.version + 1,
            hint=key.reveal()[-HINT_LENGTH:],
            created_at=now,
            validated_at=now,
        )
        stored = await self._vault.locked(credential, key)
        change = _change(actor, action, credential)
        if not await self._store.add(stored, change, retires_at=now + overlap):
            raise _not_current()
        await self._known.refresh()
        return credential

    async def _reached(self, by: Principal, credential_id: str) -> StoredCredential:
        text = storable_text(credential_id)
        stored = await self._store.get(credential_id) if text == credential_id else None
        if (
            stored is None
            or stored.credential.tenant_id != by.tenant_id
            or stored.credential.owner_id not in (None, by.owner_id)
        ):
            raise NotFound("There is no such credential.", code="credential_not_found")
        return stored

    async def _changed(self, by: Principal, credential_id: str) -> StoredCredential:
        stored = await self._reached(by, credential_id)
        if stored.credential.owner_id is None:
            by.require_admin()
        return stored


def _scopes(own: Scopes, provider: str) -> Scopes:
    """What the key may do that is given for a provider's: to use that provider, and no more."""
    operations = tuple(one for one in _USES if own.allows_operation(one))
    allowed = providers_with(provider)
    providers = tuple(one for one in allowed if one == provider or own.allows_provider(one))
    return replace(own, providers=providers, operations=operations)


def _not_current() -> Conflict:
    return Conflict(
        "This credential was replaced or revoked: use the newest one.",
        code="credential_not_current",
    )


def _change(actor: Actor, action: str, credential: ProviderCredential) -> Change:
    return Change(
        actor=actor,
        action=action,
        object=credential.id,
        tenant_id=credential.tenant_id,
        details={
            "provider": credential.provider,
            "owner_id": credential.owner_id,
            "version": credential.version,
        },
    )
