"""Tokens of keys: what the calls of each key that is limited in them have used lately."""

import time
from collections.abc import Callable
from typing import Final

from cartrita.domain.errors import RateLimited
from cartrita.domain.usage import Usage
from cartrita.gateway.calls import Call
from cartrita.kit.sliding_windows import SlidingWindows

LIMIT_NAME: Final = "key_tokens"
_MINUTE_S: Final = 60.0


class KeyTokens:
    """Counts the tokens of calls by their key when the calls have ended, in this process.

    How many a call will use is known only then: calls begin while the last minute's tokens are
    below the limit, and the last of them may go beyond it, which delays those that follow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._used = SlidingWindows(monotonic=clock)

    def require_left(self, call: Call) -> None:
        """Raise RateLimited if the key of a call has used what it may in a minute."""
        limit = call.scopes.tokens_per_minute
        if limit is None or call.key_id is None or not call.recorded:
            return
        standing = self._used.standing(call.key_id, limit, _MINUTE_S)
        if not standing.remaining:
            raise RateLimited(
                f"This API key may use {limit:,} tokens in a minute, and has used them; try again "
                "when the seconds of Retry-After have passed.",
                details={"limit": LIMIT_NAME},
                retry_after=standing.reset_s,
            )

    def add(self, call: Call, usage: Usage) -> None:
        """A call has ended."""
        if call.scopes.tokens_per_minute is not None and call.key_id is not None:
            self._used.add(call.key_id, usage.total_tokens, _MINUTE_S)
