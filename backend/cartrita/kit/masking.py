"""Masking of what looks like a secret in texts that leave the process.

Each pattern is done with a text in time that grows as the text does, whatever is in it: texts are
those of callers. So none looks ahead without a bound before it is known whether it matches.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

MASK: Final = "***"

SENSITIVE: Final = re.compile(
    r"key|token|authorization|cookie|secret|passw|credential", re.IGNORECASE
)
"""Found in the names of values that are not told."""

PREFIXES: Final = (
    *("ck_", "hf_", "gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_", "gsk_", "npm_", "r8_"),
    *("AIza", "AKIA", "ASIA", "BSA", "sk_live_", "sk_test_", "rk_live_", "rk_test_"),
    *("sk-", "pk-", "glpat-", "tvly-", "xai-", "pplx-", "nvapi-", "pypi-", "xapp-", "ya29."),
    *("xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-", "SG."),
)
"""What keys of vendors begin with."""

_BEGINS: Final = (
    r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=%[0-9A-Fa-f]{2})"
    r"|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
)
"""Before a word, or after a character that is escaped in one of the usual ways."""
_NAMES: Final = (
    *("password", "passwd", "secret", "apikey", "api_key", "api-key", "accountkey", "account_key"),
    *("accesskey", "access_key", "access-key", "access_token", "auth_token", "authorization"),
    "cookie",
)
_QUOTES: Final = r"(?:[\"'\\]|%22|%27){0,3}"
_SCHEME: Final = r"(?:(?:Bearer|Basic|Token)\s+)?"


class _Kind(NamedTuple):
    """What secrets of a kind look like.

    A text without any of its `signs`, in small letters, has none of them, and a look for those
    takes a tenth of the time.
    """

    signs: Sequence[str]
    pattern: re.Pattern[str]
    mask: str


_KINDS: Final = (
    _Kind("?&#", re.compile(r"([?&#][^=&#\s]{1,100}=)[^&#\s\"']+"), rf"\1{MASK}"),
    _Kind(
        ["://"],
        re.compile(r"(://)(?:[^/@:\s]{0,100}:[^\s\"'<>]{1,200}|[^/@\s]+)@"),
        rf"\1{MASK}@",
    ),
    _Kind(
        ["bearer", "basic", "token"],
        re.compile(r"\b(Bearer|Basic|Token)\s+[\w.~+/=-]{16,}", re.IGNORECASE),
        rf"\1 {MASK}",
    ),
    _Kind(
        _NAMES,
        re.compile(
            rf"((?:{'|'.join(_NAMES)}){_QUOTES}\s{{0,9}}[:=]\s{{0,9}}{_QUOTES}{_SCHEME})"
            r"(?!\*\*\*)[^\s\"'&,;<>{}\\]{6,}",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    _Kind(
        [prefix.lower() for prefix in PREFIXES],
        re.compile(rf"{_BEGINS}({'|'.join(map(re.escape, PREFIXES))})[\w.-]{{8,}}"),
        rf"\1{MASK}",
    ),
    _Kind(["sk_"], re.compile(rf"{_BEGINS}sk_[A-Za-z0-9]{{32,}}"), f"sk_{MASK}"),
    _Kind(["eyj"], re.compile(rf"{_BEGINS}eyJ[\w-]{{8,}}[\w.-]*"), MASK),  # a JSON Web Token
    _Kind(
        ["private key-----"],
        re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)[A-Za-z0-9+/=\s\\]+"),
        rf"\1{MASK}",
    ),
)


def masked(text: str) -> str:
    """The text without the values of queries, passwords in addresses, and what looks like a key."""
    folded = text.lower()
    for kind in _KINDS:
        if any(sign in folded for sign in kind.signs):
            text = kind.pattern.sub(kind.mask, text)
    return text
