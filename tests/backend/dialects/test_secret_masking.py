"""A credential is found in what a provider says, however that encodes it."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.dialects.secret_masking import MASK, masked, reveals
from cartrita.kit.secret import Secret

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=12, max_size=100)
AROUND = st.text(" :xyz", max_size=6)


@given(KEYS, AROUND, AROUND)
@examples
def test_each_encoding_is_masked(key: str, before: str, after: str) -> None:
    octets = (before + key + after).encode()
    for told in (
        key,
        key.encode().hex(),
        key.encode().hex().upper(),
        quote(key, safe=""),
        quote(key),
        "".join(f"%{octet:02X}" for octet in key.encode()),
        base64.b64encode(octets).decode(),
        base64.b64encode(octets).decode().rstrip("="),
        base64.urlsafe_b64encode(octets).decode(),
    ):
        said = masked(f"It said {told}, and no more.", (Secret("other-secret"), Secret(key)), 300)
        assert MASK in said
        assert key not in said
        # A few characters at its ends tell of what stands beside it too.
        assert len(said) <= len("It said , and no more.") + len(MASK) + 4 * (
            len(before + after) + 2
        )
        assert reveals(told, (Secret(key),))


@pytest.mark.parametrize("secrets", [(), (Secret("letmein"),), (Secret(""),)])
def test_what_is_no_secret_stays(secrets: tuple[Secret, ...]) -> None:
    assert masked("letmein bGV0bWVpbg", secrets, 300) == "letmein bGV0bWVpbg"
    assert not reveals("letmein", secrets)


def test_a_secret_is_not_cut_in_half() -> None:
    key = "the-key-of-the-provider"
    for length in range(40, 120):
        said = masked(("x" * length + key) * 100, (Secret(key),), 40)
        assert not any(key[:size] in said for size in range(6, len(key)))


def test_a_long_text_is_as_long_as_it_should_be() -> None:
    assert len(masked("x" * 10_000, (Secret("correct-horse"),), 300)) >= 300
    assert masked("x" * 10_000, (), 300) == "x" * 1_200


def test_a_long_secret_leaves_what_stands_before_it() -> None:
    token = "eyJ" + "aB3dE5fG7h" * 150
    for encoded in (token, token.encode().hex(), base64.b64encode(token.encode()).decode()):
        said = masked(f"It refused {encoded}, {'and more ' * 9_000}", (Secret(token),), 300)
        assert said.startswith(f"It refused {MASK}")
        assert len(said) <= 1_200


def test_a_secret_that_holds_another_is_masked_whole() -> None:
    short, long = Secret("correct-horse"), Secret("correct-horse-battery")
    for secrets in ((short, long), (long, short)):
        assert masked("correct-horse-battery staple", secrets, 300) == f"{MASK} staple"
