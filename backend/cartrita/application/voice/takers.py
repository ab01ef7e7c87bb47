"""Speech ends where nobody takes it, so that what makes it is not held for ever."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final, NamedTuple

from cartrita.domain.errors import DeadlineExceeded
from cartrita.domain.speech import SpeechRequest

_LETTERS_PER_S: Final = 15.0
"""About as fast as synthesizers speak what is written in small letters, with the blanks between."""
_SIGNS_PER_S: Final = 3.0
"""And all else: syllables and words of one character, digits, and letters that are spelled."""


class Patience(NamedTuple):
    """How many seconds a piece may wait to be taken, and all of them for each that they last."""

    piece_s: float = 60.0
    pace: float = 2.0

    def whole_s(self, request: SpeechRequest) -> float:
        """How long the pieces of a whole speech may wait, one after the other."""
        letters = sum(one.islower() or one.isspace() for one in request.text)
        signs = len(request.text) - letters
        lasts = letters / _LETTERS_PER_S + signs / _SIGNS_PER_S
        return self.piece_s + self.pace * lasts / request.speed


async def taken(
    pieces: AsyncGenerator[bytes],
    piece_s: float,
    whole_s: float,
    give_up: Callable[[], None],
    clock: Callable[[], float],
) -> AsyncGenerator[bytes]:
    """The pieces; `give_up` is called where one waits for too long, or all of them together do.

    What the pieces take to be made does not count.
    """
    loop = asyncio.get_running_loop()
    async for piece in pieces:
        offered = clock()
        waiting = loop.call_later(min(piece_s, whole_s), give_up)
        try:
            yield piece
        finally:
            waiting.cancel()
        whole_s -= clock() - offered


def not_taken() -> DeadlineExceeded:
    """What the work ends with that was given up."""
    return DeadlineExceeded("Nobody has taken the speech in time.")
