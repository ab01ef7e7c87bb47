"""Searches of GitHub for callers."""

import time
from collections.abc import Callable
from typing import TypeAlias

from msgspec.structs import replace

from cartrita.domain.errors import InvalidInput, NotFound
from cartrita.domain.github import (
    LAST_GITHUB_RESULT,
    LONGEST_GITHUB_QUERY,
    MOST_GITHUB_RESULTS,
    GitHubKind,
    GitHubQuery,
    GitHubResults,
)
from cartrita.domain.ledger import ToolSpending
from cartrita.domain.ports.web import CodeHost
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Operation
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.kit.remembered import RememberedValues
from cartrita.kit.text import storable_text

_Key: TypeAlias = tuple[str, GitHubQuery]


class GitHubSearches:
    """Implements `GitHubSearch`. Results are kept for their owner for `keep` seconds."""

    def __init__(
        self,
        host: CodeHost,
        calls: ServiceCalls,
        *,
        keep: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._calls = calls
        self._kept = RememberedValues[_Key, GitHubResults](keep, clock=clock)

    async def search(
        self, principal: Principal, query: GitHubQuery, spending: ToolSpending | None = None
    ) -> GitHubResults:
        """See `GitHubSearch.search`.

        Raises Forbidden, InvalidInput, NotFound for code where there is no token, RateLimited,
        BudgetExhausted and UpstreamError.
        """
        principal.scopes.require_operation(Operation.SEARCH)
        principal.scopes.require_provider(self._host.name)
        query = _checked(query)
        key = (principal.owner_id, query)
        if (kept := self._kept.get(key)) is not None:
            return kept
        if query.kind is GitHubKind.CODE and not await self._calls.paid_by(principal, self._host):
            raise NotFound(
                "GitHub searches code only for those who sign in: set GITHUB_API_KEY, or store a "
                "token of your own with POST /api/credentials.",
                code="provider_not_configured",
            )
        found = await self._calls.ask(
            principal, self._host, lambda one: one.search(query), spending
        )
        self._kept.put(key, found)
        return found


def _checked(query: GitHubQuery) -> GitHubQuery:
    """The query without spaces around it. Raises InvalidInput."""
    text = storable_text(query.text).strip()
    if not text:
        raise InvalidInput.of("q", "say what to search for")
    if len(text) > LONGEST_GITHUB_QUERY:
        raise InvalidInput.of("q", f"GitHub takes at most {LONGEST_GITHUB_QUERY} characters")
    if not 1 <= query.limit <= MOST_GITHUB_RESULTS:
        raise InvalidInput.of("limit", f"choose a number from 1 to {MOST_GITHUB_RESULTS}")
    if query.page < 1 or (query.page - 1) * query.limit >= LAST_GITHUB_RESULT:
        raise InvalidInput.of("page", f"GitHub shows the first {LAST_GITHUB_RESULT} results only")
    return replace(query, text=text)
