"""Services that answer as a test says, and what pays for their calls."""

from collections.abc import Awaitable, Callable
from typing import Self

from tests.backend.gateway.fakes import Time

from cartrita.domain.credentials import (
    NO_CREDENTIALS,
    CallCredential,
    CredentialsByProvider,
    Payer,
)
from cartrita.domain.github import GitHubHit, GitHubQuery, GitHubResults
from cartrita.domain.limits import Limit
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import UNLIMITED, Scopes
from cartrita.domain.web import WebQuery, WebResult, WebResults
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.paid_providers import CredentialUses
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.kit.secret import Secret

OWN = CallCredential("own", Secret("key-of-ann"))
SHARED = CallCredential("shared", Secret("key-of-acme"), shared=True)


def principal(owner: str = "ann", scopes: Scopes = UNLIMITED) -> Principal:
    return Principal(owner_id=owner, key_id="key", scopes=scopes)


class Paying:
    """What pays for the calls of each owner, as the test says."""

    def __init__(self) -> None:
        self.of_owners: dict[str, CredentialsByProvider] = {}

    async def of(self, payer: Payer) -> CredentialsByProvider:
        return self.of_owners.get(payer.owner_id, NO_CREDENTIALS)


class FakeService:
    """A service; `answers` are what its next calls raise, and `asked` the keys of its calls."""

    def __init__(self, name: str, key: str = "", *, needs_key: bool = False) -> None:
        self.name = name
        self.key = key
        self.needs_key = needs_key
        self.failures: list[Exception] = []
        self.asked: list[str] = []
        self.waits: Callable[[], Awaitable[object]] | None = None

    @property
    def has_key(self) -> bool:
        return bool(self.key)

    def with_key(self, key: Secret) -> Self:
        other = type(self)(self.name, key.reveal(), needs_key=self.needs_key)
        other.failures, other.asked, other.waits = self.failures, self.asked, self.waits
        return other

    async def test_key(self) -> None:
        await self.call()

    async def call(self) -> str:
        """The key that it is called with."""
        self.asked.append(self.key)
        if self.waits is not None:
            await self.waits()
        if self.failures:
            raise self.failures.pop(0)
        return self.key


class FakeEngine(FakeService):
    """A search engine that finds one page."""

    async def search(self, query: WebQuery) -> WebResults:
        await self.call()
        found = WebResult(title=query.text, url="https://example.com", content="It.", score=1.0)
        return WebResults(self.name, (found,))


class FakeHost(FakeService):
    """A GitHub that finds one thing."""

    async def search(self, query: GitHubQuery) -> GitHubResults:
        await self.call()
        found = GitHubHit(title=query.text, url="https://github.com/a/b", content="It.")
        return GitHubResults((found,), 1)


class Calls:
    """Calls of services under a limit of `requests` in a minute, with a clock of its own."""

    def __init__(self, requests: int = 100) -> None:
        self.time = Time()
        self.paying = Paying()
        self.uses = CredentialUses()
        limit = Limit(requests, 60.0)
        self.limiter = Limiter({"tavily": limit, "github": limit}, clock=self.time.clock)
        self.calls = ServiceCalls(self.limiter, self.paying, self.uses, sleep=self.time.sleep)
