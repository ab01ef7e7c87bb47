"""API keys that this server issues to its callers."""

from datetime import datetime

import msgspec


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret."""

    id: str
    owner_id: str
    name: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class StoredApiKey(msgspec.Struct, frozen=True):
    """An API key as stored: `digest` is the HMAC-SHA256 of the secret with the server's pepper."""

    key: ApiKey
    digest: bytes
