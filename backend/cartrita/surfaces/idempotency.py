"""Binds a caller's idempotency key to the request that was sent with it."""

import hashlib

import msgspec
from pydantic import BaseModel

from cartrita.domain.runs import Idempotency


def idempotency(
    route: str, key: str | None, body: BaseModel | None, *path_ids: str
) -> Idempotency | None:
    """The key with the hash of its request: the body, and the ids in the path.

    The `stream` field is not part of the hash. Returns None without a key.
    """
    if key is None:
        return None
    content = {} if body is None else body.model_dump(mode="json", exclude={"stream"})
    canonical = msgspec.json.encode([*path_ids, content], order="sorted")
    return Idempotency(route, key, hashlib.sha256(canonical).digest())
