"""API keys as they are managed: issued, listed, changed, rotated, revoked.

Whoever acts reaches the keys of the same user, and an admin those of the tenant; those of others
raise NotFound like missing ones. No key makes one that may do more than itself.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from cartrita.application.accounts.names import valid_name
from cartrita.application.keys.known_keys import KnownKeys
from cartrita.application.keys.own_keys import BOOTSTRAP_ID
from cartrita.application.keys.scopes import valid_scopes
from cartrita.application.keys.secrets import KeySecrets, mint
from cartrita.domain.api_keys import ApiKey, KeyChanges, KeyFilter, StoredApiKey, Succession
from cartrita.domain.audit import Actor, Change
from cartrita.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.access import ApiKeyStore, UserStore
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import UNLIMITED, Scopes
from cartrita.kit import clock
from cartrita.kit.pagination import Page
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_text

OVERLAP: Final = timedelta(hours=24)
"""How long a key goes on working after it was rotated, where nobody says."""


class ApiKeys:
    """The keys that are stored. All of their changes are logged."""

    def __init__(
        self,
        store: ApiKeyStore,
        users: UserStore,
        known: KnownKeys,
        pepper: Secret,
        *,
        overlap: timedelta = OVERLAP,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._store = store
        self._users = users
        self._known = known
        self._secrets = KeySecrets(pepper)
        self._overlap = overlap
        self._now = now

    async def create(
        self,
        actor: Actor,
        owner_id: str,
        name: str,
        *,
        scopes: Scopes | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, Secret]:
        """A new key of a user, and its secret, which is not stored.

        Without `scopes` and `expires_at` it has those of the key that makes it. Raises NotFound,
        InvalidInput, and Forbidden if it would do more than that.
        """
        by = actor.principal
        user = await self._users.get(owner_id) if storable_text(owner_id) == owner_id else None
        if user is None or not _reaches(by, user.id, user.tenant_id):
            raise NotFound("There is no such user.", code="user_not_found")
        key_id, secret = mint()
        key = ApiKey(
            id=key_id,
            owner_id=user.id,
            name=valid_name("name", name),
            created_at=self._now(),
            expires_at=await self._expiry(by, expires_at),
            scopes=_within(by, by.scopes if scopes is None else valid_scopes(scopes)),
        )
        await self._store.add(
            StoredApiKey(key, self._secrets.digest(secret.reveal())),
            _change(actor, "key.create", key, user.tenant_id, {"name": key.name}),
        )
        return key, secret

    async def get(self, actor: Principal, key_id: str) -> ApiKey:
        """A key. Raises NotFound."""
        return (await self._reached(actor, key_id)).key

    async def list(self, which: KeyFilter) -> list[ApiKey]:
        """All keys of an owner or a tenant, the oldest first, those that do not work included."""
        return [stored.key for stored in await self._store.page(which)]

    async def page(
        self, by: Principal, which: KeyFilter, after: str | None, limit: int
    ) -> Page[ApiKey]:
        """The same in pages; the cursor is the id of a page's last key.

        Of other users only those whom the caller administers. Raises Forbidden and NotFound.
        """
        if which.owner_id != by.owner_id:
            by.require_admin()
            if not by.operator and which.tenant_id not in (None, by.tenant_id):
                raise NotFound("There is no such tenant.", code="tenant_not_found")
            if not by.operator:
                which = replace(which, tenant_id=by.tenant_id)
        found = await self._store.page(which, after=after, limit=limit + 1)
        keys = [stored.key for stored in found[:limit]]
        return Page(keys, keys[-1].id if len(found) > limit else None)

    async def change(
        self,
        actor: Actor,
        key_id: str,
        *,
        name: str | None = None,
        scopes: Scopes | None = None,
        expires_at: datetime | None = None,
    ) -> ApiKey:
        """Change a key. Raises NotFound, InvalidInput, and Forbidden as `create` does."""
        stored = await self._reached(actor.principal, key_id)
        by = actor.principal
        if expires_at is not None:
            _within(by, stored.key.scopes)  # or a lesser key would keep a greater one alive
            expires_at = await self._expiry(by, expires_at)
        changes = KeyChanges(
            name=None if name is None else valid_name("name", name),
            scopes=None if scopes is None else _within(by, valid_scopes(scopes)),
            expires_at=expires_at,
        )
        told = [field for field in changes.__struct_fields__ if getattr(changes, field) is not None]
        if told:
            await self._write(actor, stored, changes, "key.change", {"fields": [*told]})
        return await self.get(actor.principal, key_id)

    async def rotate(
        self, actor: Actor, key_id: str, *, overlap: timedelta | None = None
    ) -> tuple[ApiKey, Secret]:
        """A successor with the same scopes and end; the old key works for `overlap` more.

        Raises NotFound, Forbidden, and Conflict for a key that has ended or has a successor.
        """
        old = await self._reached(actor.principal, key_id)
        now = self._now()
        if old.key.replaced_by is not None or not old.key.active(now):
            raise _not_rotatable()
        _within(actor.principal, old.key.scopes)
        successor_id, secret = mint()
        key = replace(
            old.key,
            id=successor_id,
            created_at=now,
            expires_at=await self._earliest_end(actor.principal, old.key.expires_at),
        )
        retires_at = now + (self._overlap if overlap is None else overlap)
        rotated = await self._store.add(
            StoredApiKey(key, self._secrets.digest(secret.reveal())),
            _change(actor, "key.rotate", old.key, old.tenant_id, {"successor": key.id}),
            Succession(key_id, retires_at),
        )
        if not rotated:
            raise _not_rotatable()
        self._known.forget(key_id)
        return key, secret

    async def revoke(self, actor: Actor, key_id: str) -> ApiKey:
        """End a key: here at once, in other processes within a second. Idempotent.

        Raises NotFound, and Conflict for the bootstrap key.
        """
        if key_id == BOOTSTRAP_ID:
            raise Conflict("The bootstrap key is revoked by removing CARTRITA_BOOTSTRAP_KEY.")
        stored = await self._reached(actor.principal, key_id)
        if stored.key.revoked_at is None:
            changes = KeyChanges(revoked_at=self._now())
            await self._write(actor, stored, changes, "key.revoke", {})
        return await self.get(actor.principal, key_id)

    async def _write(
        self,
        actor: Actor,
        stored: StoredApiKey,
        changes: KeyChanges,
        action: str,
        details: JsonObject,
    ) -> None:
        change = _change(actor, action, stored.key, stored.tenant_id, details)
        await self._store.change(stored.key.id, changes, change)
        self._known.forget(stored.key.id)

    async def _reached(self, by: Principal, key_id: str) -> StoredApiKey:
        stored = await self._store.get(key_id) if storable_text(key_id) == key_id else None
        if stored is None or not _reaches(by, stored.key.owner_id, stored.tenant_id):
            raise NotFound("There is no such key.", code="key_not_found")
        return stored

    async def _expiry(self, by: Principal, wanted: datetime | None) -> datetime | None:
        """When a key that this one makes expires: never after it."""
        latest = await self._earliest_end(by, wanted)
        if wanted is None:
            return latest
        if wanted <= self._now():
            raise InvalidInput.of("expires_at", "choose a moment that is still to come")
        if latest != wanted:
            raise Forbidden(
                f"A key that this one makes ends when it does, at {latest:%Y-%m-%d %H:%M} UTC.",
                code="scope_expiry",
            )
        return wanted

    async def _earliest_end(self, by: Principal, wanted: datetime | None) -> datetime | None:
        own = await self._store.get(by.key_id)
        ends = [wanted] if own is None else [wanted, own.key.expires_at, own.key.retires_at]
        return min((end for end in ends if end is not None), default=None)


def _reaches(by: Principal, owner_id: str, tenant_id: str) -> bool:
    return by.owner_id == owner_id or by.operator or (by.admin and by.tenant_id == tenant_id)


def _within(by: Principal, scopes: Scopes) -> Scopes:
    """The scopes. Raises Forbidden if they allow more than this caller may."""
    excess = by.scopes.excess(scopes)
    if excess is not None:
        raise Forbidden(
            f"A key cannot make one that may do more than itself: limit its {excess}.",
            code="scope_exceeded",
            details={"field": excess},
        )
    return UNLIMITED if scopes == UNLIMITED else scopes


def _not_rotatable() -> Conflict:
    return Conflict(
        "This key has ended or has a successor already: rotate that one, or make a new key.",
        code="key_not_rotatable",
    )


def _change(actor: Actor, action: str, key: ApiKey, tenant_id: str, details: JsonObject) -> Change:
    told: JsonObject = {"owner_id": key.owner_id, **details}
    return Change(actor=actor, action=action, object=key.id, tenant_id=tenant_id, details=told)
