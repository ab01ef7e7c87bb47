"""Tells whether a refusal with status 403 is about what a caller sent, or about the credential."""

import re
from typing import Final

_CONTENT: Final = re.compile(
    r"\b(moderat\w*|flagged|violat\w*|safety|unsafe|polic(y|ies)|guidelines|harmful|prohibit\w*"
    r"|inappropriate|content[ _]filter\w*|beta|prompt)\b",
    re.I,
)


def names_content(message: str, code: str) -> bool:
    """Whether a provider says that it refuses what was sent.

    A refusal of content says so, while one of a key often says nothing: `Forbidden`, or a web page.
    A type such as `permission_error` does not tell: providers use it for both.
    """
    return _CONTENT.search(f"{message} {code}") is not None
