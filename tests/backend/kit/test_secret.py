"""Secrets are shown nowhere, compare safely, and derive keys by purpose."""

import copy
import hashlib
import hmac
import json
import pickle

import msgspec
import pytest

from cartrita.kit.secret import Secret, derive_secret

CANARY = "canary-71c4e9"


def test_it_is_shown_nowhere() -> None:
    secret = Secret(CANARY)
    shown = f"{secret} {secret!r} {secret!s} {secret:>40} %s %r" % (secret, secret)
    assert CANARY not in shown + repr([secret]) + str({"a": secret}) + json.dumps(
        [secret], default=str
    )
    assert str(secret) == repr(secret) == format(secret) == "***"
    assert not hasattr(secret, "__dict__")


def test_it_is_revealed_on_request() -> None:
    assert Secret(CANARY).reveal() == CANARY


def test_it_equals_only_a_secret_of_the_same_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("\u00e9\ud800") == Secret("\u00e9\ud800")
    assert Secret("a") != "a"


def test_an_empty_one_is_false() -> None:
    assert not Secret("")
    assert Secret("a")


def test_it_has_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(Secret("a"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(Secret("a"), protocol)


def test_it_is_neither_copied_nor_encoded() -> None:
    with pytest.raises(TypeError):
        copy.deepcopy(Secret("a"))
    with pytest.raises(TypeError):
        msgspec.json.encode(Secret("a"))


def test_a_purpose_has_one_key_and_another_purpose_another() -> None:
    secret = Secret("s" * 40)
    assert derive_secret(secret, "pepper") == derive_secret(Secret("s" * 40), "pepper")
    keys = {derive_secret(secret, purpose).reveal() for purpose in ("pepper", "sessions", "")}
    assert len(keys) == 3
    assert derive_secret(Secret("t" * 40), "pepper") != derive_secret(secret, "pepper")


def test_it_is_hmac_sha256_under_our_name() -> None:
    """Changing this would throw away every stored key and cookie."""
    expected = hmac.new(b"root", b"cartrita:pepper", hashlib.sha256).hexdigest()
    assert derive_secret(Secret("root"), "pepper").reveal() == expected
