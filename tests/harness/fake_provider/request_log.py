"""What the server was asked, and what became of each answer."""

import time
from collections import deque
from itertools import takewhile
from typing import Literal

import msgspec
from tests.harness.fake_provider.script import Script

Outcome = Literal["open", "complete", "cut", "disconnected"]


class Exchange(msgspec.Struct):
    """One request and its answer so far; the only one who writes it is the connection it is on.

    Times are seconds since the epoch. Headers are as they came, credentials included. `tokens_sent`
    and `bytes_sent` (of the body) are what the kernel took. `cut` is an end that the script wanted,
    `disconnected` one that the client wanted.
    """

    number: int
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: str
    received_at: float
    script: Script | None = None
    status: int | None = None
    headers_at: float | None = None
    first_token_at: float | None = None
    ended_at: float | None = None
    tokens_sent: int = 0
    bytes_sent: int = 0
    outcome: Outcome = "open"

    def header(self, name: str) -> str | None:
        """The first header of this name, in any case of letters."""
        return next((text for key, text in self.headers if key.lower() == name.lower()), None)

    def note_head(self, status: int) -> None:
        self.status = status
        self.headers_at = time.time()

    def note_sent(self, size: int, tokens: int) -> None:
        self.bytes_sent += size
        self.tokens_sent += tokens
        if tokens and self.first_token_at is None:
            self.first_token_at = time.time()

    def end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.ended_at = time.time()


class Open(msgspec.Struct, frozen=True):
    """How many answers are being given, and how many connections stand (this one not counted).

    `begun` is how many requests there ever were, and so the number of the next.
    """

    streams: int
    connections: int
    begun: int


class RequestLog:
    """The latest exchanges, at most `keep` of them."""

    def __init__(self, keep: int) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=keep)
        self._count = 0
        self._open = 0
        self.connections = 0

    def since(self, number: int) -> list[Exchange]:
        """Those from this number on, oldest first."""
        new = takewhile(lambda exchange: exchange.number >= number, reversed(self._exchanges))
        return list(new)[::-1]

    def clear(self) -> None:
        self._exchanges.clear()

    def begin(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> Exchange:
        exchange = Exchange(
            number=self._count,
            method=method,
            path=path,
            headers=headers,
            body=body.decode("utf-8", "replace"),
            received_at=time.time(),
        )
        self._count += 1
        self._open += 1
        self._exchanges.append(exchange)
        return exchange

    def end(self, exchange: Exchange, outcome: Outcome) -> None:
        exchange.end(outcome)
        self._open -= 1

    def open(self) -> Open:
        return Open(streams=self._open, connections=self.connections - 1, begun=self._count)
