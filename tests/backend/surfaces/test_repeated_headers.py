"""A header that is read here has one value, however often it is sent."""

import pytest

from cartrita.domain.errors import Malformed
from cartrita.surfaces.repeated_headers import refuse_differing_headers


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-cartrita-strict", b"true"), (b"x-cartrita-strict", b"true")],
        [(b"x-cartrita-strict", b"true"), (b"x-cartrita-cache", b"300")],
        [(b"anthropic-beta", b"a"), (b"anthropic-beta", b"b")],
    ],
)
def test_what_says_one_thing(headers: list[tuple[bytes, bytes]]) -> None:
    refuse_differing_headers({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    "name", ["X-Cartrita-Strict", "X-Cartrita-Cache", "Idempotency-Key", "Last-Event-ID"]
)
def test_what_says_two_things(name: str) -> None:
    raw = name.lower().encode()
    headers = [(raw, b"1"), (b"host", b"h"), (raw, b"0")]
    with pytest.raises(Malformed, match=f"^{name}: two different values"):
        refuse_differing_headers({"type": "http", "headers": headers})
