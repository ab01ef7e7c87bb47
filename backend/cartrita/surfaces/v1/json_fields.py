"""The JSON of requests that are relayed: all of it, or one of its top-level fields."""

from typing import Any

import msgspec

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import Malformed
from cartrita.domain.json import JsonObject


def parse_object(body: RelayedBody) -> JsonObject:
    """The whole object. Raises Malformed."""
    try:
        return msgspec.json.decode(body.octets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"The body is not JSON: {error}.") from None


def parsed(body: RelayedBody, name: str) -> Any:  # noqa: ANN401 - any JSON, which the caller checks
    """The value of one field; None if it is absent."""
    value = body.value(name)
    return None if value is None else msgspec.json.decode(value)
