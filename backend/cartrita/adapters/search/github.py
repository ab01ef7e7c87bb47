"""GitHub's search of repositories, code and issues.

Source: docs.github.com/rest/search, and its pages on rate limits.
"""

import time
from typing import Final, Self

from cartrita.adapters.search.errors import number_in, quoted, read_object, told, usual_error
from cartrita.adapters.search.results import (
    LONGEST_TITLE,
    objects_in,
    plain,
    web_address,
)
from cartrita.adapters.search.service import JsonService, Reply, ServiceAddress
from cartrita.dialects.upstream_errors import MAX_RETRY_AFTER, ErrorBody, retry_after
from cartrita.domain.errors import UpstreamError, UpstreamLimited
from cartrita.domain.github import GitHubHit, GitHubKind, GitHubQuery, GitHubResults
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_text

NAME: Final = "github"
KEY_PREFIXES: Final = ("ghp_", "github_pat_", "gho_", "ghu_", "ghs_")
"""What its keys begin with."""
_VERSION: Final = "2022-11-28"
_LONGEST_CONTENT: Final = 1000
_HEADERS: Final = {
    "Accept": "application/vnd.github.text-match+json",
    "X-GitHub-Api-Version": _VERSION,
}


class GitHub:
    """The search at GitHub; implements `CodeHost`."""

    name = NAME
    needs_key = False

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
        """See `Service.test_key`; counts against no limit."""
        await self._service.get("/rate_limit", {}, self._headers())

    async def search(self, query: GitHubQuery) -> GitHubResults:
        """See `CodeHost.search`."""
        asked: dict[str, str | int] = {
            "q": query.text,
            "per_page": query.limit,
            "page": query.page,
        }
        found = await self._service.get(f"/search/{query.kind}", asked, self._headers())
        read = _READERS[query.kind]
        hits = (read(item) for item in objects_in(found.get("items")))
        return GitHubResults(
            tuple(hit for hit in hits if hit is not None)[: query.limit],
            _number(found.get("total_count")),
            found.get("incomplete_results") is True,
        )

    def _headers(self) -> dict[str, str | Secret]:
        key = self._address.key
        if not key:
            return dict(_HEADERS)
        return {**_HEADERS, "Authorization": Secret(f"Bearer {key.reveal()}")}


def _repository(item: JsonObject) -> GitHubHit | None:
    return _hit(
        item,
        title=item.get("full_name"),
        content=item.get("description"),
        metadata={
            "language": _text(item.get("language")),
            "stars": _number(item.get("stargazers_count")),
            "forks": _number(item.get("forks_count")),
            "open_issues": _number(item.get("open_issues_count")),
            "license": _text(_field(item, "license", "spdx_id")),
            "topics": _texts(item.get("topics")),
            "archived": item.get("archived") is True,
            "updated_at": _text(item.get("pushed_at")),
        },
    )


def _code(item: JsonObject) -> GitHubHit | None:
    fragments = (one.get("fragment") for one in objects_in(item.get("text_matches")))
    repository = _text(_field(item, "repository", "full_name"))
    path = _text(item.get("path"))
    return _hit(
        item,
        title=f"{repository}/{path}",
        content="\n…\n".join(one for one in fragments if isinstance(one, str)),
        metadata={"repository": repository, "path": path, "sha": _text(item.get("sha"))},
        lines=True,
    )


def _issue(item: JsonObject) -> GitHubHit | None:
    labels: list[JsonValue] = [one.get("name") for one in objects_in(item.get("labels"))]
    repository = (_text(item.get("repository_url"))).split("/repos/")[-1]
    return _hit(
        item,
        title=item.get("title"),
        content=item.get("body"),
        metadata={
            "repository": repository,
            "number": _number(item.get("number")),
            "state": _text(item.get("state")),
            "pull_request": isinstance(item.get("pull_request"), dict),
            "author": _text(_field(item, "user", "login")),
            "labels": _texts(labels),
            "comments": _number(item.get("comments")),
            "created_at": _text(item.get("created_at")),
            "updated_at": _text(item.get("updated_at")),
        },
    )


_READERS: Final = {
    GitHubKind.REPOSITORIES: _repository,
    GitHubKind.CODE: _code,
    GitHubKind.ISSUES: _issue,
}


def _hit(
    item: JsonObject,
    *,
    title: JsonValue,
    content: JsonValue,
    metadata: JsonObject,
    lines: bool = False,
) -> GitHubHit | None:
    url = web_address(item.get("html_url"))
    if url is None:
        return None
    text = plain(content, _LONGEST_CONTENT)
    if lines and isinstance(content, str):
        rows = (storable_text(row.rstrip())[:200] for row in content.splitlines()[:40])
        text = "\n".join(rows)[:_LONGEST_CONTENT]
    return GitHubHit(
        title=plain(title, LONGEST_TITLE) or url, url=url, content=text, metadata=metadata
    )


def _field(item: JsonObject, name: str, field: str) -> JsonValue:
    inner = item.get(name)
    return inner.get(field) if isinstance(inner, dict) else None


def _text(value: JsonValue) -> str:
    return plain(value, LONGEST_TITLE)


def _texts(values: JsonValue) -> JsonValue:
    return [_text(one) for one in values[:20]] if isinstance(values, list) else []


def _number(value: JsonValue) -> int:
    """A number that every reader of JSON has room for; 0 for all else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        return 0
    return value


def _error_of(reply: Reply) -> UpstreamError:
    body = read_object(reply.body)
    problems = (_text(one.get("message")) for one in objects_in(body.get("errors")))
    message = ": ".join(part for part in (_text(body.get("message")), *problems) if part)
    said = told(reply, message)
    if reply.status in (403, 429) and _is_limit(reply, said):
        return _limit(reply, said)
    return usual_error(reply, said)


def _is_limit(reply: Reply, said: ErrorBody) -> bool:
    return (
        reply.status == 429
        or "retry-after" in reply.headers
        or reply.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in said.message.lower()
    )


def _limit(reply: Reply, said: ErrorBody) -> UpstreamLimited:
    """GitHub counts searches in minutes, and slows down who asks too much in less."""
    if reply.headers.get("x-ratelimit-remaining") != "0":
        return UpstreamLimited(
            f"{NAME} was asked too much in a short time ({reply.status}).{quoted(said)} Wait "
            "before the next search.",
            provider=NAME,
            status=reply.status,
            code="upstream_secondary_limit",
            retry_after=retry_after(reply.headers) or 60.0,
        )
    told_limit = number_in(reply.headers, "x-ratelimit-limit")
    times = "" if told_limit is None else f", {told_limit} in a minute"
    advice = "" if reply.secrets else " With a token more are answered: set GITHUB_API_KEY."
    return UpstreamLimited(
        f"{NAME} has answered as many searches as it does{times} ({reply.status}).{advice}",
        provider=NAME,
        status=reply.status,
        retry_after=retry_after(reply.headers) or _until_reset(reply),
    )


def _until_reset(reply: Reply) -> float | None:
    reset = number_in(reply.headers, "x-ratelimit-reset")
    if reset is None:
        return None
    return min(max(reset - time.time(), 1.0), MAX_RETRY_AFTER)
