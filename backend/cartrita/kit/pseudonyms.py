"""Names under which logs know people, which do not tell who they are."""

from functools import lru_cache
from hashlib import sha256

_DIGITS = 12


@lru_cache(maxsize=4096)
def pseudonym(owner_id: str) -> str:
    """The first digits of the SHA-256: whoever knows the id finds its lines, and nobody else."""
    return sha256(owner_id.encode()).hexdigest()[:_DIGITS]
