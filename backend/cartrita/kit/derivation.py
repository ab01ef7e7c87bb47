"""Many keys from one secret, each for its own purpose."""

import hmac

from cartrita.kit.secret import Secret


def derive(secret: Secret, purpose: str) -> Secret:
    """64 hexadecimal digits by HMAC-SHA256; knowing one key tells nothing of another."""
    digest = hmac.digest(secret.reveal().encode(), f"cartrita:{purpose}".encode(), "sha256")
    return Secret(digest.hex())
