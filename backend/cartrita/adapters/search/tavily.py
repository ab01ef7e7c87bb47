"""Tavily: a search engine for agents, with a key or, for a few searches, without one.

Source: docs.tavily.com (search, keyless, rate limits), and the SDK tavily-python 0.8.5.
"""

from typing import Final, Self

from cartrita.adapters.search.errors import (
    inner_object,
    quoted,
    read_object,
    seconds,
    told,
    usual_error,
)
from cartrita.adapters.search.results import LONGEST_CONTENT, plain, results_of
from cartrita.adapters.search.service import JsonService, Reply, ServiceAddress
from cartrita.domain.errors import UpstreamAuth, UpstreamError, UpstreamLimited, UpstreamQuota
from cartrita.domain.json import JsonObject
from cartrita.domain.web import WebQuery, WebResults
from cartrita.kit.secret import Secret

NAME: Final = "tavily"
KEY_PREFIXES: Final = ("tvly-",)
"""What its keys begin with."""
_KEYLESS: Final = {"X-Tavily-Access-Mode": "keyless"}
_SOURCE: Final = {"X-Client-Source": "cartrita"}
_PLAN, _SPENDING = 432, 433


class Tavily:
    """The search at Tavily; implements `SearchEngine`.

    With `keyless` it is also called without a key, which is good for a few searches.
    """

    name = NAME

    def __init__(self, address: ServiceAddress, *, keyless: bool = True) -> None:
        self.needs_key = not keyless
        self._address = address
        self._service = JsonService(NAME, address, _error_of)

    @property
    def has_key(self) -> bool:
        """See `Service.has_key`."""
        return bool(self._address.key)

    def with_key(self, key: Secret) -> Self:
        """See `Service.with_key`."""
        return type(self)(self._address.with_key(key), keyless=not self.needs_key)

    async def test_key(self) -> None:
        """See `Service.test_key`; costs nothing."""
        await self._service.get("/usage", {}, self._headers())

    async def search(self, query: WebQuery) -> WebResults:
        """See `SearchEngine.search`."""
        body: JsonObject = {
            "query": query.text,
            "topic": query.topic.value,
            "max_results": query.max_results,
            "include_answer": query.include_answer,
        }
        if query.time_range is not None:
            body["time_range"] = query.time_range.value
        found = await self._service.post("/search", body, self._headers())
        results = results_of(
            found.get("results"),
            query.max_results,
            content="content",
            date="published_date",
            score="score",
        )
        answer = plain(found.get("answer"), LONGEST_CONTENT) if query.include_answer else ""
        return WebResults(NAME, results, answer or None)

    def _headers(self) -> dict[str, str | Secret]:
        key = self._address.key
        if not key:
            return {**_KEYLESS, **_SOURCE}
        return {"Authorization": Secret(f"Bearer {key.reveal()}"), **_SOURCE}


def _error_of(reply: Reply) -> UpstreamError:
    body = read_object(reply.body)
    refusal = inner_object(body, "error")
    if not reply.secrets and isinstance(refusal.get("code"), str):
        return _keyless_refusal(reply, refusal)
    said = told(reply, inner_object(body, "detail").get("error") or body.get("detail"))
    name, status = reply.provider, reply.status
    if status == _PLAN:
        return UpstreamQuota(
            f"The plan of this key at {name} is used up, or the limit that is set for the key "
            f"({status}).{quoted(said)} Raise it at app.tavily.com, wait for the next month, or "
            "search with another provider.",
            provider=name,
            status=status,
            code="upstream_plan_limit",
        )
    if status == _SPENDING:
        return UpstreamQuota(
            f"The account at {name} has reached its limit for pay-as-you-go ({status})."
            f"{quoted(said)} Raise that limit at app.tavily.com, or search with another provider.",
            provider=name,
            status=status,
            code="upstream_spending_limit",
        )
    error = usual_error(reply, said)
    if isinstance(error, UpstreamLimited):
        error.message += (
            " A development key of Tavily is answered 100 times in a minute, a production key "
            "1,000 times; CARTRITA_PROVIDER_LIMITS keeps below that."
        )
    return error


def _keyless_refusal(reply: Reply, refusal: JsonObject) -> UpstreamError:
    """Searches without a key are refused when there were too many, or for good."""
    said = told(reply, refusal.get("message"), refusal.get("code"))
    name, status = reply.provider, reply.status
    wait = seconds(refusal.get("retry_after_seconds"))
    if wait is None and status != 429:
        return UpstreamAuth(
            f"{name} does not answer without a key ({status}).{quoted(said)} Set TAVILY_API_KEY.",
            provider=name,
            status=status,
            code="upstream_keyless_refused",
            details=said.details,
        )
    return UpstreamLimited(
        f"{name} answers no more searches without a key for now ({status}).{quoted(said)} Set "
        "TAVILY_API_KEY, or wait.",
        provider=name,
        status=status,
        code="upstream_keyless_limit",
        details=said.details,
        retry_after=wait,
    )
