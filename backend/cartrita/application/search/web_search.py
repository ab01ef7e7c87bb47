"""Searches of the web for callers, at the provider that they name or the usual one."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from msgspec.structs import replace

from cartrita.domain.errors import InvalidInput, NotFound, UpstreamUnreachable
from cartrita.domain.ledger import ToolSpending
from cartrita.domain.ports.web import SearchEngine
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.domain.web import LONGEST_QUERY, MOST_RESULTS, WebQuery, WebResults
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.kit.remembered import RememberedValues
from cartrita.kit.text import storable_text

_Key: TypeAlias = tuple[str, str, WebQuery]
_OFFLINE: Final = (
    " Without a network nothing but your own conversations and files can be searched: that is the "
    "provider local of POST /api/search."
)


class WebSearches:
    """Implements `WebSearch`. `engines` are in the order in which they are preferred.

    `unconfigured` says of those that are not there what they need. Results are kept for their owner
    for `keep` seconds. Where no provider is named, `usual` is
    asked, or else the first engine that has a key or needs none, before those that are called
    without the key that they could have.
    """

    def __init__(
        self,
        engines: Iterable[SearchEngine],
        calls: ServiceCalls,
        *,
        usual: str | None = None,
        unconfigured: Mapping[str, str] | None = None,
        keep: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._calls = calls
        self._usual = usual
        self._unconfigured = unconfigured or {}
        self._kept = RememberedValues[_Key, WebResults](keep, clock=clock)

    async def search(
        self,
        principal: Principal,
        query: WebQuery,
        provider: str | None = None,
        spending: ToolSpending | None = None,
    ) -> WebResults:
        """See `WebSearch.search`.

        Raises Forbidden, InvalidInput, NotFound, RateLimited, BudgetExhausted and UpstreamError.
        """
        principal.scopes.require_operation(Operation.SEARCH)
        query = _checked(query)
        engine = await self._engine(principal, provider)
        principal.scopes.require_provider(engine.name)
        key = (principal.owner_id, engine.name, query)
        if (kept := self._kept.get(key)) is not None:
            return kept
        try:
            found = await self._calls.ask(
                principal, engine, lambda one: one.search(query), spending
            )
        except UpstreamUnreachable as error:
            error.message += _OFFLINE
            raise
        self._kept.put(key, found)
        return found

    async def _engine(self, principal: Principal, name: str | None) -> SearchEngine:
        name = name or self._usual
        if name is None:
            return await self._preferred(principal)
        engine = self._engines.get(name)
        if engine is None:
            raise self._no_engine(name)
        return engine

    def _no_engine(self, name: str) -> NotFound | InvalidInput:
        if name in self._unconfigured:
            return NotFound(self._unconfigured[name], code="provider_not_configured")
        known = (*self._engines, *self._unconfigured)
        return InvalidInput.of("provider", f"choose one of {', '.join(known)}, or local")

    async def _preferred(self, principal: Principal) -> SearchEngine:
        """The first that is paid for, else the last that needs no key."""
        allowed = [
            one for one in self._engines.values() if principal.scopes.allows_provider(one.name)
        ]
        for engine in allowed:
            if await self._calls.paid_by(principal, engine):
                return engine
        free = [engine for engine in allowed if not engine.needs_key]
        if free:
            return free[-1]
        raise NotFound(
            "There is no search engine that this key may use: set SEARXNG_BASE_URL, or the key of "
            "another.",
            code="provider_not_configured",
        )


def _checked(query: WebQuery) -> WebQuery:
    """The query without spaces around it. Raises InvalidInput."""
    text = storable_text(query.text).strip()
    if not text:
        raise InvalidInput.of("query", "say what to search for")
    if len(text) > LONGEST_QUERY:
        raise InvalidInput.of("query", f"use at most {LONGEST_QUERY} characters")
    if not 1 <= query.max_results <= MOST_RESULTS:
        raise InvalidInput.of("max_results", f"choose a number from 1 to {MOST_RESULTS}")
    return replace(query, text=text)
