"""Ports of stored API keys and tickets."""

from datetime import datetime
from typing import Protocol

from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.tickets import Ticket


class ApiKeyStore(Protocol):
    """Stores this server's API keys."""

    async def add(self, key: StoredApiKey) -> None: ...

    async def get(self, key_id: str) -> StoredApiKey | None: ...

    async def list(self, owner_id: str | None) -> list[ApiKey]: ...

    async def revoke(self, key_id: str, at: datetime) -> bool: ...


class TicketStore(Protocol):
    """Stores single-use tickets."""

    async def add(self, digest: bytes, ticket: Ticket) -> None: ...

    async def use(self, digest: bytes, kind: str) -> Ticket | None:
        """Redeem a ticket; None if it is unknown, used or expired."""
        ...

    async def used(self, digest: bytes, kind: str) -> Ticket | None:
        """A ticket that was redeemed already, for resuming the stream that it started."""
        ...

    async def sweep(self) -> int:
        """Delete tickets that expired long ago; returns their number."""
        ...
