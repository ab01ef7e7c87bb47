"""Speech ends where nobody takes it, so that what makes it is not held for ever."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final, NamedTuple

from cartrita.domain.errors import DeadlineExceeded
from cartrita.domain.speech import SpeechRequest

_CHARACTERS_PER_S: Final = 15.0
"""About as fast as synthesizers speak."""


class Patience(NamedTuple):
    """How many seconds a piece may wait to be taken, and all of them for each that they last."""

    piece_s: float = 60.0
    pace: float = 2.0

    def whole_s(self, request: SpeechRequest) -> float:
        """How long the pieces of a whole speech may wait, one after the other."""
        lasts = len(request.text) / (_CHARACTERS_PER_S * request.speed)
        return self.piece_s + self.pace * lasts


async def taken(
    pieces: AsyncGenerator[bytes], piece_s: float, whole_s: float, give_up: Callable[[], None]
) -> AsyncGenerator[bytes]:
    """The pieces; `give_up` is called where one waits for too long, or all of them together do.

    What the pieces take to be made does not count.
    """
    loop = asyncio.get_running_loop()
    async for piece in pieces:
        offered = loop.time()
        waiting = loop.call_later(min(piece_s, whole_s), give_up)
        try:
            yield piece
        finally:
            waiting.cancel()
        whole_s -= loop.time() - offered


def not_taken() -> DeadlineExceeded:
    """What the work ends with that was given up."""
    return DeadlineExceeded("Nobody has taken the speech in time.")
