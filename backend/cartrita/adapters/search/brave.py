"""Brave Search: a search engine with an index of its own.

Source: api-dashboard.search.brave.com (web and news search, error codes, rate limit headers).
"""

from typing import Final, Self

from cartrita.adapters.search.errors import (
    inner_object,
    quoted,
    read_object,
    told,
    usual_error,
)
from cartrita.adapters.search.results import results_of
from cartrita.adapters.search.service import JsonService, Reply, ServiceAddress
from cartrita.domain.errors import UpstreamError, UpstreamLimited, UpstreamQuota
from cartrita.domain.web import TimeRange, Topic, WebQuery, WebResults
from cartrita.kit.secret import Secret

NAME: Final = "brave"
KEY_PREFIXES: Final = ("BSA",)
"""What its keys begin with."""
_LONGEST_QUERY, _MOST_WORDS = 400, 50
_FRESHNESS: Final = {
    TimeRange.DAY: "pd",
    TimeRange.WEEK: "pw",
    TimeRange.MONTH: "pm",
    TimeRange.YEAR: "py",
}


class Brave:
    """The search at Brave; implements `SearchEngine`. It makes no answers."""

    name = NAME
    needs_key = True

    def __init__(self, address: ServiceAddress) -> None:
        self._address = address
        self._service = JsonService(NAME, address, _error_of)

    @property
    def has_key(self) -> bool:
        """See `Service.has_key`."""
        return bool(self._address.key)

    def with_key(self, key: Secret) -> Self:
        """See `Service.with_key`."""
        return type(self)(self._address.with_key(key))

    async def test_key(self) -> None:
        """See `Service.test_key`; costs one search."""
        await self.search(WebQuery(text="brave", max_results=1))

    async def search(self, query: WebQuery) -> WebResults:
        """See `SearchEngine.search`. Of a long query the beginning is searched."""
        words = query.text.split()[:_MOST_WORDS]
        asked: dict[str, str | int] = {
            "q": " ".join(words)[:_LONGEST_QUERY],
            "count": query.max_results,
            "text_decorations": "false",
        }
        if query.time_range is not None:
            asked["freshness"] = _FRESHNESS[query.time_range]
        headers = {"Accept": "application/json", "X-Subscription-Token": self._address.key}
        if query.topic is Topic.NEWS:
            found = await self._service.get("/res/v1/news/search", asked, headers)
        else:
            asked["result_filter"] = "web"
            found = await self._service.get("/res/v1/web/search", asked, headers)
            found = inner_object(found, "web")
        results = results_of(
            found.get("results"),
            query.max_results,
            content="description",
            date="page_age",
            marked_up=True,
        )
        return WebResults(NAME, results)


def _error_of(reply: Reply) -> UpstreamError:
    error = inner_object(read_object(reply.body), "error")
    said = told(reply, error.get("detail"), error.get("code"))
    if reply.status == 422 and said.code == "SUBSCRIPTION_TOKEN_INVALID":
        return usual_error(reply, said, 401)
    if reply.status != 429:
        return usual_error(reply, said)
    wait = _wait(reply)
    if said.code == "QUOTA_LIMITED" or wait is None:
        return UpstreamQuota(
            f"The plan of this key at {NAME} is used up for this month (429).{quoted(said)} Raise "
            "it at api-dashboard.search.brave.com, or search with another provider.",
            provider=NAME,
            status=429,
            code="upstream_plan_limit",
        )
    return UpstreamLimited(
        f"{NAME} takes no more searches at the moment (429).{quoted(said)}",
        provider=NAME,
        status=429,
        retry_after=wait,
    )


def _wait(reply: Reply) -> float | None:
    """The seconds until the next search, or None if the month's searches are used up.

    The headers tell of a second and of a month: `0, 14523` are left, and come back in `1, 86412`.
    """
    left = reply.headers.get("x-ratelimit-remaining", "").split(",")
    if len(left) > 1 and left[-1].strip() == "0":
        return None
    reset = reply.headers.get("x-ratelimit-reset", "").split(",")[0].strip()
    return float(reset) if reset.isdigit() and len(reset) < 6 else 1.0
