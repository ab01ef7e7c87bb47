"""The sentences of one run's answer, as they become known."""

import asyncio

from cartrita.application.runs.runs import Runs
from cartrita.application.voice.live.sentences import Sentences
from cartrita.domain.events import LoggedEvent, RunStopped, StopStatus, TextAppended
from cartrita.domain.ids import RunId


class AnswerText:
    """Reads a run's log from its beginning; `sentences` are those that have ended.

    `whole` says that no more will come, and `stopped` why an answer is not complete.
    """

    def __init__(self, runs: Runs, run_id: RunId) -> None:
        self._runs = runs
        self._run_id = run_id
        self._splitting = Sentences()
        self._grown = asyncio.Event()
        self.sentences: list[str] = []
        self.whole = False
        self.stopped: StopStatus | None = None

    async def read(self) -> None:
        """Read to the end, or to the end of this server, when there is no end yet."""
        try:
            async with self._runs.tail(self._run_id, 0) as items:
                async for item in items:
                    if isinstance(item, LoggedEvent):
                        self._take(item)
                        if item.terminal:
                            break
        finally:
            self.whole = True
            self._grown.set()

    async def has(self, number: int) -> bool:
        """Whether there is a sentence of this number, once that is known."""
        while len(self.sentences) <= number and not self.whole:
            self._grown.clear()
            await self._grown.wait()
        return len(self.sentences) > number

    def _take(self, logged: LoggedEvent) -> None:
        match logged.event:
            case TextAppended(text):
                found = self._splitting.take(text)
            case RunStopped(kind):
                self.stopped = kind
                found = []
            case _ if logged.terminal:
                found = self._splitting.finish()
            case _:
                return
        self.sentences += found
        self._grown.set()
