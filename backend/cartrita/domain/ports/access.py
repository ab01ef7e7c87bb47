"""Ports of stored API keys, tickets, tenants and users, and of the log of changes to them."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from cartrita.domain.accounts import AccountChanges, Tenant, User
from cartrita.domain.api_keys import KeyChanges, KeyFilter, StoredApiKey, Succession
from cartrita.domain.audit import AuditEntry, Change
from cartrita.domain.tickets import Ticket


class ApiKeyStore(Protocol):
    """Stores this server's API keys. Each change is logged in its own transaction."""

    async def get(self, key_id: str) -> StoredApiKey | None: ...

    async def get_many(self, key_ids: Collection[str]) -> list[StoredApiKey]: ...

    async def add(
        self, key: StoredApiKey, change: Change, replaces: Succession | None = None
    ) -> bool:
        """Store a key; false if the one that it replaces was replaced or revoked before."""
        ...

    async def change(self, key_id: str, changes: KeyChanges, change: Change) -> bool:
        """False if there is no such key."""
        ...

    async def page(
        self, which: KeyFilter, *, after: str | None = None, limit: int | None = None
    ) -> list[StoredApiKey]:
        """Keys, the oldest first, after the one of this id."""
        ...


class TenantStore(Protocol):
    """Stores tenants. Each change is logged in its own transaction."""

    async def add(self, tenant: Tenant, change: Change) -> bool:
        """False if there is one of this id."""
        ...

    async def get(self, tenant_id: str) -> Tenant | None: ...

    async def change(self, tenant_id: str, changes: AccountChanges, change: Change) -> bool: ...

    async def page(self, *, after: str | None = None, limit: int | None = None) -> list[Tenant]:
        """Tenants in the order of their ids, after this one."""
        ...


class UserStore(Protocol):
    """Stores users. Each change is logged in its own transaction."""

    async def add(self, user: User, change: Change) -> bool:
        """False if there is one of this id. Raises NotFound if there is no such tenant."""
        ...

    async def get(self, user_id: str) -> User | None: ...

    async def change(self, user_id: str, changes: AccountChanges, change: Change) -> bool: ...

    async def page(
        self, tenant_id: str | None, *, after: str | None = None, limit: int | None = None
    ) -> list[User]:
        """Users of a tenant, or of all, in the order of their ids, after this one."""
        ...


class AuditStore(Protocol):
    """Reads the audit log."""

    async def page(
        self, tenant_id: str | None, *, before: UUID | None = None, limit: int
    ) -> list[AuditEntry]:
        """The entries of a tenant, or of all, the newest first, older than this one."""
        ...


class TicketStore(Protocol):
    """Stores single-use tickets."""

    async def add(self, digest: bytes, ticket: Ticket) -> None: ...

    async def use(self, digest: bytes, kind: str) -> Ticket | None:
        """Redeem a ticket; None if it is unknown, used or expired.

        Its principal, as in `used`, has the ids only.
        """
        ...

    async def used(self, digest: bytes, kind: str) -> Ticket | None:
        """A ticket that was redeemed already, for resuming the stream that it started."""
        ...

    async def sweep(self) -> int:
        """Delete tickets that expired long ago; returns their number."""
        ...


class AccessChanges(Protocol):
    """Tells when keys, users, tenants, credentials or budgets changed, by whichever process."""

    async def wait(self) -> None:
        """Wait until something may have changed since the last call."""
        ...
