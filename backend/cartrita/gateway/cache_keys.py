"""Keys of the cache of answers: which requests are equal, and which may share an answer."""

import hashlib

import msgspec
from msgspec.structs import replace

from cartrita.domain.cached_answers import CacheKey
from cartrita.domain.errors import Malformed
from cartrita.domain.messages import ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest
from cartrita.gateway.calls import Relayable

_encoder = msgspec.json.Encoder(order="sorted")
_CHOOSING = ("-beta", "-version")


def cache_key(request: ModelRequest, name: str, relay: Relayable | None = None) -> CacheKey:
    """The key of all of a request, with the resolved name of what it goes to.

    Of the headers that a relay passes on, those count that choose a version or a beta; the others
    only name the request.
    """
    passed_on = () if relay is None else relay.headers.items()
    chosen = {name: value for name, value in passed_on if name.endswith(_CHOOSING)}
    return CacheKey(request.owner_id, _hash((name, replace(request, model=""), chosen)))


def body_key(body: bytes) -> bytes:
    """The hash of all of a JSON body, whatever the order of its fields. Raises Malformed."""
    try:
        return _hash(msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(f"The body is not JSON: {error}.") from None


def is_cacheable(request: ModelRequest) -> bool:
    """Whether equal requests may have one answer: not where tools are in use."""
    parts = (part for message in request.messages for part in message.parts)
    return not request.tools and not any(isinstance(one, ToolCall | ToolResult) for one in parts)


def _hash(value: object) -> bytes:
    return hashlib.sha256(_encoder.encode(value)).digest()
