"""Requests of the blocking client, sent again where that does nothing twice."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx2

from cartrita_client.answers import failure
from cartrita_client.errors import CartritaError, TimedOut
from cartrita_client.exchanges import Exchange, client_options, unmade
from cartrita_client.operations import Call
from cartrita_client.retries import is_gone, leaves_open
from cartrita_client.settings import Settings


class Connection:
    """Connections to one server, kept for the next request; threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        try:
            self._http = httpx2.Client(**client_options(settings))
        except (ImportError, ValueError, httpx2.InvalidURL) as problem:
            raise unmade(settings, problem) from problem

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def answer(self, call: Call) -> Any:
        """The value of a call's answer. Raises CartritaError."""
        failures, left_open = 0, False
        while True:
            try:
                return self._answer(Exchange(self.settings, call))
            except CartritaError as problem:
                if left_open and is_gone(call.operation, problem):
                    return None
                failures += 1
                left_open = left_open or leaves_open(problem)
                wait = self.settings.retries.wait_after(call.operation, problem, failures)
                if wait is None or not (call.form is None or call.form.repeatable):
                    raise
            time.sleep(wait)

    @contextmanager
    def opened(self, call: Call) -> Generator[httpx2.Response]:
        """The answer of a call while it comes. What breaks in it raises CartritaError."""
        exchange = Exchange(self.settings, call)
        method, url = exchange.target
        try:
            with self._http.stream(method, url, **exchange.options(), **_sent(call)) as got:
                if got.is_redirect:
                    raise exchange.redirect(got.headers)
                if got.status_code >= 400:
                    body = _whole(got, exchange, exchange.error_limit)
                    raise failure(got.status_code, got.headers, body)
                yield got
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as problem:
            raise exchange.failure(problem) from problem

    def _answer(self, exchange: Exchange) -> Any:
        call = exchange.call
        method, url = exchange.target
        try:
            with self._http.stream(method, url, **exchange.options(), **_sent(call)) as got:
                body = _whole(got, exchange, exchange.limit)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as problem:
            raise exchange.failure(problem) from problem
        return exchange.value(got.status_code, got.headers, body)


def _sent(call: Call) -> dict[str, Any]:
    return {} if call.form is None else {"content": call.form.pieces()}


def _whole(got: httpx2.Response, exchange: Exchange, limit: float | None) -> bytes:
    """The body, within the time that it may take."""
    until = None if limit is None else time.monotonic() + limit
    pieces: list[bytes] = []
    for piece in got.iter_bytes():
        pieces.append(piece)
        if until is not None and time.monotonic() > until:
            raise TimedOut(f"The answer to {exchange.call.operation.name} does not end.")
    return b"".join(pieces)
