"""Carries reasoning of other dialects in the signature of a thinking block.

The API has one kind of seal, a signature, and clients send it back as it came. A signature that
begins with `cartrita.` is ours: it holds what else there is to a block of reasoning, so that the
dialect that it came from gets it back unchanged. Anthropic's own signatures are base64, which has
no dot.
"""

import base64

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT
from cartrita.domain.messages import Reasoning

PREFIX = "cartrita."


class _Seal(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    origin: str | None = None
    signature: str | None = None
    encrypted: str | None = None
    id: str | None = None


_decode = msgspec.json.Decoder(_Seal).decode


def signature_of(reasoning: Reasoning) -> str:
    """The signature of the thinking block that a block of reasoning becomes."""
    if reasoning.origin == DIALECT and reasoning.signature is not None:
        return reasoning.signature
    seal = _Seal(reasoning.origin, reasoning.signature, reasoning.encrypted, reasoning.id)
    return PREFIX + base64.urlsafe_b64encode(msgspec.json.encode(seal)).decode()


def reasoning_of(text: str, signature: str) -> Reasoning:
    """The reasoning of a thinking block."""
    if signature.startswith(PREFIX):
        try:
            seal = _decode(base64.urlsafe_b64decode(signature.removeprefix(PREFIX)))
        except (ValueError, RecursionError):
            return Reasoning(text)
        return Reasoning(text, seal.signature, seal.encrypted, seal.origin, seal.id)
    return Reasoning(text, signature=signature, origin=DIALECT)
