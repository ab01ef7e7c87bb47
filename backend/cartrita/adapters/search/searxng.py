"""SearXNG: a search engine of one's own, which asks others.

Source: docs.searxng.org/dev/search_api.
"""

from typing import Final, Self

from cartrita.adapters.search.errors import told, usual_error
from cartrita.adapters.search.results import LONGEST_CONTENT, objects_in, plain, results_of
from cartrita.adapters.search.service import JsonService, Reply, ServiceAddress
from cartrita.domain.errors import UpstreamError, UpstreamOverloaded, UpstreamRejected
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.web import Topic, WebQuery, WebResults
from cartrita.kit.secret import Secret

NAME: Final = "searxng"


class SearXNG:
    """The search at an instance of SearXNG; implements `SearchEngine`."""

    name = NAME
    has_key = False
    needs_key = False

    def __init__(self, address: ServiceAddress) -> None:
        self._service = JsonService(NAME, address, _error_of)

    def with_key(self, key: Secret) -> Self:
        """It has none."""
        return self

    async def test_key(self) -> None:
        """It has none."""

    async def search(self, query: WebQuery) -> WebResults:
        """See `SearchEngine.search`. It has no answers but short ones, to sums and the like."""
        asked: dict[str, str | int] = {
            "q": query.text,
            "format": "json",
            "categories": "news" if query.topic is Topic.NEWS else "general",
        }
        if query.time_range is not None:
            asked["time_range"] = query.time_range.value
        found = await self._service.get("/search", asked)
        results = results_of(
            found.get("results"), query.max_results, content="content", date="publishedDate"
        )
        if not results and (silent := _unresponsive(found)):
            raise UpstreamOverloaded(
                f"None of the search engines that {NAME} asks has answered: {silent}.",
                provider=NAME,
                retryable=False,
            )
        return WebResults(NAME, results, _answer(found) if query.include_answer else None)


def _answer(found: JsonObject) -> str | None:
    answers = found.get("answers")
    for one in answers if isinstance(answers, list) else ():
        value: JsonValue = one.get("answer") if isinstance(one, dict) else one
        if text := plain(value, LONGEST_CONTENT):
            return text
    return next(
        (
            text
            for box in objects_in(found.get("infoboxes"))
            if (text := plain(box.get("content"), LONGEST_CONTENT))
        ),
        None,
    )


def _unresponsive(found: JsonObject) -> str:
    """The engines that did not answer, each with its reason."""
    engines = found.get("unresponsive_engines")
    pairs = [one for one in engines if isinstance(one, list)] if isinstance(engines, list) else []
    told = (" ".join(plain(part, 60) for part in pair[:2]) for pair in pairs[:5])
    return ", ".join(one for one in told if one)


def _error_of(reply: Reply) -> UpstreamError:
    if reply.status == 403:
        return UpstreamRejected(
            f"{NAME} does not answer in JSON (403). Add json to search.formats in its "
            "settings.yml.",
            provider=NAME,
            status=403,
        )
    return usual_error(reply, told(reply, None))
