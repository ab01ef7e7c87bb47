"""API keys that this server issues to its callers."""

from datetime import datetime
from functools import cached_property

import msgspec

from cartrita.domain.principals import LOCAL_TENANT, Principal
from cartrita.domain.scopes import UNLIMITED, Operation, Scopes


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret.

    One that was rotated has a successor, `replaced_by`, and ends at `retires_at`.
    """

    id: str
    owner_id: str
    name: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    scopes: Scopes = UNLIMITED
    replaced_by: str | None = None
    retires_at: datetime | None = None

    def active(self, now: datetime) -> bool:
        """Whether the key itself works; its user or tenant may be disabled."""
        if self.revoked_at is not None:
            return False
        if self.expires_at is not None and self.expires_at <= now:
            return False
        return self.retires_at is None or self.retires_at > now


class StoredApiKey(msgspec.Struct, frozen=True, dict=True):
    """An API key as stored: `digest` is the HMAC-SHA256 of the secret with the server's pepper.

    Of its user it knows the tenant, whether that is administered, and whether both are `enabled`.
    """

    key: ApiKey
    digest: bytes
    tenant_id: str = LOCAL_TENANT
    admin: bool = False
    enabled: bool = True

    def active(self, now: datetime) -> bool:
        """Whether the key works."""
        return self.enabled and self.key.active(now)

    @cached_property
    def principal(self) -> Principal:
        """Who calls with this key; made once, because every request asks for it."""
        key = self.key
        admin = self.admin and key.scopes.allows_operation(Operation.ADMIN)
        return Principal(key.owner_id, key.id, self.tenant_id, key.scopes, admin)


class ActiveKey(msgspec.Struct, frozen=True):
    """A key that works now: who calls with it, and what its sessions are derived from."""

    principal: Principal
    digest: bytes


class KeyChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What changes in a key; None leaves it as it is. A key that was revoked keeps that time."""

    name: str | None = None
    scopes: Scopes | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class Succession(msgspec.Struct, frozen=True):
    """The key that a new one replaces, and when it retires."""

    key_id: str
    retires_at: datetime


class KeyFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which keys to list; None lists those of all users or tenants."""

    owner_id: str | None = None
    tenant_id: str | None = None
