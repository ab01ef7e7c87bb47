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

_SHORT_KEYS: Final = (
    *("ck_", "gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_", "gsk_", "sk-", "pk-", "glpat-"),
    *("tvly-", "xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"),
    *("sk_live_", "sk_test_", "rk_live_", "rk_test_"),
)
"""What keys of vendors begin with, and nothing else does."""

_LONG_KEYS: Final = ("nvapi-", "pypi-", "xapp-", "ya29.", "AIza", "BSA")
_KEYS_OF_LETTERS: Final = ("hf_", "npm_", "r8_", "pplx-", "xai-", "sk_")
"""What names begin with too: `hf_hub_download`, `pplx-70b-online`."""

_KEYS_OF_AMAZON: Final = ("AKIA", "ASIA")

PREFIXES: Final = (*_SHORT_KEYS, *_LONG_KEYS, *_KEYS_OF_LETTERS, *_KEYS_OF_AMAZON, "SG.", "eyJ")
"""What a key or token of a known kind begins with."""

_BEGINS: Final = (
    r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=%[0-9A-Fa-f]{2})"
    r"|(?<=\\x[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
)
"""Before a word, or after a character that is escaped in one of the usual ways."""
_NAMES: Final = (
    *("password", "passwd", "passphrase", "secret", "apikey", "api_key", "api-key", "private_key"),
    *("accountkey", "account_key", "accesskey", "access_key", "access-key", "authorization"),
    *("access_token", "auth_token", "id_token", "refresh_token", "session_token"),
    *('token"', "token'", 'token\\"'),
)
_QUOTES: Final = r"(?:[\"'\\]|%22|%27){0,3}"
_SCHEME: Final = r"(?:(?:Bearer|Basic|Token)\s+)?"
_QUOTED: Final = r"\\?\"[^\"\\\r\n]{1,4096}|\\?'[^'\\\r\n]{1,4096}"
_SPACES: Final = r"\s{0,9}"


class _Kind(NamedTuple):
    """What secrets of a kind look like.

    A text without any of its `signs`, in small letters, has none of them, and a look for those
    takes a tenth of the time.
    """

    signs: Sequence[str]
    pattern: re.Pattern[str]
    mask: str


def _keys(prefixes: Sequence[str], tail: str) -> _Kind:
    begun = "|".join(map(re.escape, prefixes))
    pattern = re.compile(f"{_BEGINS}({begun}){tail}")
    return _Kind([prefix.lower() for prefix in prefixes], pattern, rf"\1{MASK}")


_KINDS: Final = (
    _Kind("?&#", re.compile(r"([?&#][^=&#\s]{1,100}=)[^&#\s\"']+"), rf"\1{MASK}"),
    _Kind(
        ["://"],
        re.compile(r"(://)(?:[^/@:\s]{0,100}:(?!\d{1,5}/)[^\s\"'<>]{1,200}|[^/@\s]+)@"),
        rf"\1{MASK}@",
    ),
    _Kind(
        ["bearer", "basic", "token"],
        re.compile(r"\b(Bearer|Basic|Token)\s+[\w.~+/=-]{16,}", re.IGNORECASE),
        rf"\1 {MASK}",
    ),
    _Kind(
        ["cookie"],
        re.compile(
            rf"(cookie{_QUOTES}{_SPACES}[:=]{_SPACES}{_QUOTES})[^\s=;\"']{{1,100}}=[^\r\n\"'\\]*",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    _Kind(
        _NAMES,
        re.compile(
            rf"((?:{'|'.join(map(re.escape, _NAMES))}){_QUOTES}{_SPACES}[:=]{_SPACES})"
            rf"(?:{_QUOTED}|{_QUOTES}{_SCHEME}(?!\*\*\*)[^\s\"'<>{{}}\\]{{4,}})",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    _keys(_SHORT_KEYS, r"[\w-]{8,}"),
    _keys(_LONG_KEYS, r"[\w-]{16,}"),
    _keys(_KEYS_OF_LETTERS, r"[A-Za-z0-9]{16,}"),
    _keys(_KEYS_OF_AMAZON, r"[A-Za-z0-9]{12,}"),
    _keys(["SG."], r"[\w-]{16,}\.[\w-]{16,}"),
    _keys(["eyJ"], r"[\w-]{8,}[\w.-]*"),  # a JSON Web Token
    _Kind(
        ["private key"],
        re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)(?:[^-]|-(?!----))+"),
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
