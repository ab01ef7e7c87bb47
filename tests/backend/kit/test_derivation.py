"""Keys made from one secret."""

import hashlib
import hmac

from cartrita.kit.derivation import derive
from cartrita.kit.secret import Secret


def test_a_purpose_has_one_key_and_another_purpose_another() -> None:
    secret = Secret("s" * 40)
    assert derive(secret, "pepper") == derive(Secret("s" * 40), "pepper")
    keys = {derive(secret, purpose).reveal() for purpose in ("pepper", "sessions", "")}
    assert len(keys) == 3
    assert derive(Secret("t" * 40), "pepper") != derive(secret, "pepper")


def test_it_is_hmac_sha256_under_our_name() -> None:
    """Changing this would throw away every stored key and cookie."""
    expected = hmac.new(b"root", b"cartrita:pepper", hashlib.sha256).hexdigest()
    assert derive(Secret("root"), "pepper").reveal() == expected
