"""Many keys from one secret, each for its own purpose."""

import hashlib
import hmac

from cartrita.kit.secret import Secret


def derive(secret: Secret, purpose: str) -> bytes:
    """32 bytes by HMAC-SHA256; knowing one key tells nothing of another."""
    return hmac.digest(secret.reveal().encode(), f"cartrita:{purpose}".encode(), hashlib.sha256)
