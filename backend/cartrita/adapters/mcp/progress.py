"""What a server tells of the progress of a call, as often as readers want to know."""

import time
from typing import Final

from cartrita.domain.tools import TellProgress

_PAUSE_S: Final = 1.0
_LONGEST: Final = 200


class Progress:
    """Passes on one message a second, none while another is being told, and none after the end."""

    def __init__(self, tell: TellProgress) -> None:
        self._tell = tell
        self._next = 0.0
        self.ended = False

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        now = time.monotonic()
        if self.ended or now < self._next:
            return
        self._next = float("inf")
        share = None if not total or total < 0 else min(max(progress / total, 0.0), 1.0)
        try:
            await self._tell((message or "It is working.")[:_LONGEST], share)
        finally:
            self._next = time.monotonic() + _PAUSE_S
