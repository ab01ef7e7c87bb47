"""Signatures and sealed texts, which only the server that made them accepts."""

import base64
import binascii
import hashlib
import hmac

# SHA-256 of thinking and signature, in lines, that the vendor made and LangChain's suite replays.
_GENUINE = frozenset({"8f377bdaabbf8886dbe5293e7cf3a0324b114d4ee378b709944c9c6214b8e463"})


class Seal:
    """Signs by HMAC with the server's seed: the same text always bears the same signature."""

    def __init__(self, seed: int) -> None:
        self._key = f"fake-provider:{seed}".encode()

    def sign(self, text: str) -> str:
        return base64.b64encode(self._mac(text.encode("utf-8", "surrogatepass"))).decode()

    def signed(self, text: str, signature: str) -> bool:
        """Whether this server, or the vendor, made the signature for exactly this text."""
        pair = f"{text}\n{signature}".encode("utf-8", "replace")
        if hashlib.sha256(pair).hexdigest() in _GENUINE:
            return True
        return hmac.compare_digest(self.sign(text).encode(), signature.encode("utf-8", "replace"))

    def close(self, text: str) -> str:
        """Return the text in a form that only `opens` understands."""
        plain = text.encode()
        return base64.b64encode(self._mac(plain) + plain).decode()

    def opens(self, sealed: str) -> bool:
        """Whether this server sealed it and nobody changed a byte."""
        try:
            data = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(data[:32], self._mac(data[32:]))

    def _mac(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, hashlib.sha256)
