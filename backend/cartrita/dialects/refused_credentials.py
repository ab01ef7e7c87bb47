"""Tells whether a refusal with status 403 is about the credential, or about what a caller sent."""

import re
from typing import Final

_CREDENTIAL: Final = re.compile(
    r"\b(api[ _-]?keys?|access[ _-]?(denied|keys?|tokens?)|(this|the|your) (key|token)|key limit"
    r"|credentials?|scopes?|\w*permissions?\w*|not[ _]authori[sz]ed|unauthori[sz]ed"
    r"|authentication|not allowed to sample"
    r"|organi[sz]ation|account|project|team|workspace|subscription|billing|credits?"
    r"|(country|region)\b.*\bnot[ _]supported|unsupported[ _]country\w*)\b",
    re.I,
)
_CONTENT: Final = re.compile(
    r"\b(moderat\w*|flagged|violat\w*|safety|polic(y|ies)|guidelines|harmful|content[ _]filter\w*"
    r"|beta|prompt)\b",
    re.I,
)


def names_credential(message: str, code: str) -> bool:
    """Whether the key, its permissions or its account are named, and nothing that a caller sends.

    A type such as `permission_error` does not tell: providers use it for both.
    """
    said = f"{message} {code}"
    return bool(_CREDENTIAL.search(said)) and not _CONTENT.search(said)
