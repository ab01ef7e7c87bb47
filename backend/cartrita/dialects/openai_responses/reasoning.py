"""Wraps sealed reasoning as `encrypted_content`, so that clients send it back whole.

OpenAI verifies encrypted reasoning together with the id of its item. Our items have ids of ours,
and reasoning of other dialects has a signature besides: both travel within the wrapping.
"""

import base64
import binascii

import msgspec

from cartrita.dialects.openai_responses import DIALECT
from cartrita.domain.deltas import ReasoningDelta
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Reasoning

PREFIX = "cartrita:"
"""What `encrypted_content` of ours begins with."""


class Seal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has to be sent back to `origin` with the text of the reasoning."""

    origin: str | None = None
    signature: str | None = None
    encrypted: str | None = None
    id: str | None = None


def wrap(part: Reasoning | ReasoningDelta, item_id: str) -> str | None:
    """The `encrypted_content` of an item; None if the reasoning is not sealed."""
    if part.signature is None and part.encrypted is None:
        return None
    if part.origin == DIALECT and part.signature is None and part.id == item_id:
        return part.encrypted
    seal = Seal(part.origin, part.signature, part.encrypted, part.id)
    return PREFIX + base64.b64encode(msgspec.json.encode(seal)).decode()


def unwrap(encrypted: str | None, item_id: str | None) -> Seal:
    """The seal in an item's `encrypted_content`; what we did not wrap is OpenAI's own.

    Raises ValueError if something that we wrapped was changed.
    """
    if encrypted is None:
        return Seal()
    if not encrypted.startswith(PREFIX):
        return Seal(DIALECT, None, encrypted, item_id)
    try:
        data = base64.b64decode(encrypted.removeprefix(PREFIX), validate=True)
        return msgspec.json.decode(data, type=Seal)
    except (binascii.Error, msgspec.DecodeError) as error:
        raise ValueError("it is not as it was sent") from error


def unwrapped(item: JsonValue) -> JsonValue:
    """An item of a request as OpenAI knows it: what we wrapped is its own again.

    Raises ValueError for reasoning that OpenAI did not seal, and if what we wrapped was changed.
    """
    encrypted = item.get("encrypted_content") if isinstance(item, dict) else None
    if not (isinstance(item, dict) and isinstance(encrypted, str) and encrypted.startswith(PREFIX)):
        return item
    seal = unwrap(encrypted, None)
    if seal.origin != DIALECT or seal.encrypted is None:
        raise ValueError("OpenAI did not seal it")
    own: JsonObject = {**item, "encrypted_content": seal.encrypted, "id": seal.id}
    return own if seal.id is not None else {name: own[name] for name in own if name != "id"}
