"""Requests of the asynchronous client, sent again where that does nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from cartrita_client.answers import failure
from cartrita_client.errors import CartritaError, TimedOut
from cartrita_client.exchanges import Exchange, client_options, unmade
from cartrita_client.forms import Form
from cartrita_client.operations import Call
from cartrita_client.retries import is_gone, leaves_open
from cartrita_client.settings import Settings


class AsyncConnection:
    """Connections to one server, kept for the next request."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        try:
            self._http = httpx2.AsyncClient(**client_options(settings))
        except (ImportError, ValueError, httpx2.InvalidURL) as problem:
            raise unmade(settings, problem) from problem

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def answer(self, call: Call) -> Any:
        """The value of a call's answer. Raises CartritaError."""
        failures, left_open = 0, False
        while True:
            try:
                return await self._answer(Exchange(self.settings, call))
            except CartritaError as problem:
                if left_open and is_gone(call.operation, problem):
                    return None
                failures += 1
                left_open = left_open or leaves_open(problem)
                wait = self.settings.retries.wait_after(call.operation, problem, failures)
                if wait is None or not (call.form is None or call.form.repeatable):
                    raise
            await asyncio.sleep(wait)

    @asynccontextmanager
    async def opened(self, call: Call) -> AsyncGenerator[httpx2.Response]:
        """The answer of a call while it comes. What breaks in it raises CartritaError."""
        exchange = Exchange(self.settings, call)
        method, url = exchange.target
        try:
            async with self._http.stream(method, url, **exchange.options(), **_sent(call)) as got:
                if got.is_redirect:
                    raise exchange.redirect(got.headers)
                if got.status_code >= 400:
                    body = await _whole(got, exchange, exchange.error_limit)
                    raise failure(got.status_code, got.headers, body)
                yield got
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as problem:
            raise exchange.failure(problem) from problem

    async def _answer(self, exchange: Exchange) -> Any:
        call = exchange.call
        method, url = exchange.target
        try:
            async with self._http.stream(method, url, **exchange.options(), **_sent(call)) as got:
                body = await _whole(got, exchange, exchange.limit)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as problem:
            raise exchange.failure(problem) from problem
        return exchange.value(got.status_code, got.headers, body)


def _sent(call: Call) -> dict[str, Any]:
    return {} if call.form is None else {"content": _pieces(call.form)}


async def _whole(got: httpx2.Response, exchange: Exchange, limit: float | None) -> bytes:
    """The body, within the time that it may take."""
    try:
        async with asyncio.timeout(limit):
            return await got.aread()
    except TimeoutError as problem:
        raise TimedOut(f"The answer to {exchange.call.operation.name} does not end.") from problem


async def _pieces(form: Form) -> AsyncIterator[bytes]:
    """The bytes of a form; files are read in a thread."""
    pieces = form.pieces()
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
