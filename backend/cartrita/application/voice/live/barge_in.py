"""Notices that somebody speaks while an answer is spoken."""

import asyncio
from collections.abc import Callable

from cartrita.domain.speech import Heard, ListeningEvent, SpeechStarted, UtteranceEnded


class BargeInWatch:
    """Calls `notice` for a word at once, and for sound without words when it has lasted."""

    def __init__(self, notice: Callable[[], None], after_s: float) -> None:
        self._notice = notice
        self._after_s = after_s
        self._timer: asyncio.TimerHandle | None = None

    def take(self, event: ListeningEvent) -> None:
        """Something was heard."""
        match event:
            case SpeechStarted():
                self.close()
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self._after_s, self._notice)
            case Heard(text=text) if text.strip():
                self.close()
                self._notice()
            case Heard(final=True) | UtteranceEnded():
                self.close()
            case _:
                pass

    def close(self) -> None:
        """Wait for nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
