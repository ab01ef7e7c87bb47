"""Who calls."""

from datetime import datetime

import msgspec

LOCAL_OWNER = "local"
"""The person who runs the server."""


class Principal(msgspec.Struct, frozen=True):
    """An authenticated caller. Everything it makes and sees belongs to `owner_id`."""

    owner_id: str
    key_id: str


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of ours without its secret."""

    id: str
    owner_id: str
    name: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class StoredKey(msgspec.Struct, frozen=True):
    """A key as stored: `digest` is HMAC-SHA256 of the secret under the server's pepper."""

    key: ApiKey
    digest: bytes


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A single-use right, stored under the hash of its secret.

    A sign-in code opens a session; a stream ticket starts one run, which `client_msg_id` makes
    unique, from `origin` only.
    """

    kind: str
    principal: Principal
    expires_at: datetime
    origin: str | None = None
    client_msg_id: str | None = None
    used_at: datetime | None = None
