"""Ports of the web: search engines, the searches that callers may make, and pages."""

from typing import Protocol

from cartrita.domain.github import GitHubQuery, GitHubResults
from cartrita.domain.ledger import ToolSpending
from cartrita.domain.ports.services import Service
from cartrita.domain.principals import Principal
from cartrita.domain.web import WebPage, WebQuery, WebResults


class SearchEngine(Service, Protocol):
    """Searches the web at one provider."""

    async def search(self, query: WebQuery) -> WebResults:
        """The results that there are. Raises UpstreamError."""
        ...


class CodeHost(Service, Protocol):
    """Searches GitHub."""

    async def search(self, query: GitHubQuery) -> GitHubResults:
        """One page of what there is. Raises UpstreamError, and InvalidInput for a query."""
        ...


class WebSearch(Protocol):
    """Searches the web for a caller, by what its key allows and its credentials pay."""

    async def search(
        self,
        principal: Principal,
        query: WebQuery,
        provider: str | None = None,
        spending: ToolSpending | None = None,
    ) -> WebResults:
        """By this provider, or the usual one, for the tool that spends. Raises CartritaError."""
        ...


class GitHubSearch(Protocol):
    """Searches GitHub for a caller, by what its key allows and its credentials pay."""

    async def search(
        self, principal: Principal, query: GitHubQuery, spending: ToolSpending | None = None
    ) -> GitHubResults:
        """One page of what there is, for the tool that spends. Raises CartritaError."""
        ...


class WebPages(Protocol):
    """Reads pages of the public web."""

    async def fetch(self, url: str, owner_id: str = "") -> WebPage:
        """The page as text, on behalf of an owner.

        Raises InvalidInput for an address that is none, Forbidden for one that is not public, Busy
        where too many are being read, and UpstreamError and UnsupportedMedia.
        """
        ...
