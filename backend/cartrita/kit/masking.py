"""Masking of what looks like a secret in texts that leave the process."""

import re
from typing import Final

MASK: Final = "***"

SENSITIVE: Final = re.compile(
    r"key|token|authorization|cookie|secret|passw|credential", re.IGNORECASE
)
"""Found in the names of values that are not told."""

_PATTERNS: Final = (
    (re.compile(r"([?&#][^=&#\s]{1,100}=)[^&#\s\"']+"), rf"\1{MASK}"),  # a query's values
    (re.compile(r"(://)[^/@\s]+@"), rf"\1{MASK}@"),  # user:password@host
    (re.compile(r"\b(Bearer|Basic|Token)\s+[\w.~+/=-]{16,}", re.IGNORECASE), rf"\1 {MASK}"),
    (
        re.compile(
            r"\b(ck_|sk-|pk-|hf_|gh[opsu]_|github_pat_|glpat-|tvly-|gsk_|xai-|xox[abprs]-|AIza|AKIA)"
            r"[\w-]{8,}"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(\.[\w-]*)?"), MASK),  # a JSON Web Token
)


def masked(text: str) -> str:
    """The text without the values of queries, passwords in addresses, and what looks like a key."""
    for pattern, mask in _PATTERNS:
        text = pattern.sub(mask, text)
    return text
