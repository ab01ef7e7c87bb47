"""Wraps sealed reasoning as `encrypted_content`, so that clients send it back whole.

OpenAI verifies encrypted reasoning together with the id of its item. Our items have ids of ours,
and reasoning of other dialects has a signature besides: both travel within the wrapping.
"""

import base64
import binascii

import msgspec

from cartrita.dialects.openai_responses import DIALECT
from cartrita.domain.deltas import ReasoningDelta
from cartrita.domain.messages import Reasoning

_PREFIX = "cartrita:"


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
    return _PREFIX + base64.b64encode(msgspec.json.encode(seal)).decode()


def unwrap(encrypted: str | None, item_id: str | None) -> Seal:
    """The seal in an item's `encrypted_content`; what we did not wrap is OpenAI's own.

    Raises ValueError if something that we wrapped was changed.
    """
    if encrypted is None:
        return Seal()
    if not encrypted.startswith(_PREFIX):
        return Seal(DIALECT, None, encrypted, item_id)
    try:
        data = base64.b64decode(encrypted.removeprefix(_PREFIX), validate=True)
        return msgspec.json.decode(data, type=Seal)
    except (binascii.Error, msgspec.DecodeError) as error:
        raise ValueError("it is not as it was sent") from error
