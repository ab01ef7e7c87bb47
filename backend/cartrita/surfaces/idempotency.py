"""Binds a caller's idempotency key to the request that was sent with it."""

import hashlib
import re
from collections.abc import Sequence

import msgspec
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from cartrita.domain.errors import Malformed
from cartrita.domain.json import JsonObject
from cartrita.domain.runs import Idempotency

_KEY = re.compile(r"[ -~]{1,255}")


def idempotency(
    route: str, key: str | None, body: BaseModel | None, *path_ids: str
) -> Idempotency | None:
    """The key with the hash of its request: the body, and the ids in the path.

    The `stream` field is not part of the hash. Returns None without a key.
    """
    if key is None:
        return None
    content = {} if body is None else body.model_dump(mode="json", exclude={"stream"})
    return Idempotency(route, key, _hash([*path_ids, content]))


def idempotency_of(
    route: str, connection: HTTPConnection, content: JsonObject
) -> Idempotency | None:
    """The key in a request's header with the hash of its content. Raises Malformed."""
    key = connection.headers.get("idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Malformed("Idempotency-Key is 1 to 255 printable ASCII characters: send such a one.")
    return Idempotency(route, key, _hash([content]))


def _hash(content: Sequence[object]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).digest()
