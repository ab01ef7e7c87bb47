"""The secrets of API keys: how they are made, read and digested.

A key is `ck_<id>_<secret>_<checksum>`. The id finds its row, the checksum detects typing mistakes
without a query, and the stored digest is an HMAC of the whole key with the server's pepper.
"""

import hmac
import re
import zlib
from secrets import token_hex
from typing import Final

from cartrita.domain.errors import Unauthenticated
from cartrita.kit.secret import Secret

PREFIX: Final = "ck_"
_PATTERN = re.compile(rf"{PREFIX}([0-9a-f]{{16}})_([0-9a-f]{{48}})_([0-9a-f]{{8}})")


class KeySecrets:
    """Makes and digests the secrets of keys."""

    def __init__(self, pepper: Secret) -> None:
        self._peppered = hmac.new(pepper.reveal().encode(), digestmod="sha256")

    def digest(self, key: str) -> bytes:
        """The HMAC-SHA256 of a key."""
        mac = self._peppered.copy()  # half the cost of hashing the pepper again for each request
        mac.update(key.encode("utf-8", "surrogatepass"))
        return mac.digest()


def mint() -> tuple[str, Secret]:
    """The id and the text of a new key."""
    key_id = token_hex(8)
    return key_id, Secret(with_checksum(f"{PREFIX}{key_id}_{token_hex(24)}"))


def id_in(presented: str) -> str | None:
    """The id in a key; None if the text is not a key, or its checksum is wrong."""
    match = _PATTERN.fullmatch(presented)
    if match is None or with_checksum(presented.rpartition("_")[0]) != presented:
        return None
    return match[1]


def invalid_key() -> Unauthenticated:
    """The error of every key that is not valid, whatever is wrong with it."""
    return Unauthenticated(
        "This API key is not valid: check it, or make one with `cartrita keys create`."
    )


def with_checksum(body: str) -> str:
    return f"{body}_{zlib.crc32(body.encode()):08x}"
