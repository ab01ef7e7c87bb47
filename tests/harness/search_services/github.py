"""GitHub's search API as docs.github.com describes it, with its limits."""

import time
from collections.abc import Mapping
from typing import Any, Final

from tests.harness.search_services.exchange import KEY, Asked, Reply

_DOCS: Final = "https://docs.github.com/rest/search/search"
_PARAMETERS: Final = frozenset(("q", "sort", "order", "per_page", "page"))


def error(status: int, message: str, **more: Any) -> Reply:
    """An error in GitHub's words."""
    return Reply(status, {"message": message, **more, "documentation_url": _DOCS})


def limited(status: int = 403, *, seconds: int = 40) -> Reply:
    """The primary limit of searches is reached."""
    reply = error(status, "API rate limit exceeded for 203.0.113.7.")
    return Reply(reply.status, reply.body, _limit_headers(0, seconds))


def slowed_down(status: int = 403, *, seconds: int | None = 30) -> Reply:
    """The secondary limit is reached."""
    reply = error(status, "You have exceeded a secondary rate limit. Please wait a few minutes.")
    headers = _limit_headers(7, 40)
    return Reply(
        reply.status,
        reply.body,
        headers if seconds is None else {**headers, "Retry-After": str(seconds)},
    )


def answer(asked: Asked) -> Reply:
    """What GitHub says."""
    if not asked.headers.get("user-agent"):
        return Reply(403, "Request forbidden by administrative rules.")
    if "authorization" in asked.headers and asked.bearer != KEY:
        return error(401, "Bad credentials")
    if asked.path == "/rate_limit":
        return Reply(200, {"resources": {"search": {"limit": 30, "remaining": 30}}})
    kind = asked.path.removeprefix("/search/")
    if kind not in _ITEMS:
        return error(404, "Not Found")
    if kind == "code" and asked.bearer is None:
        problems = [{"message": "Must be authenticated to access the code search API"}]
        return error(401, "Requires authentication", errors=problems)
    words, limit = asked.query.get("q", ""), asked.query.get("per_page", "30")
    if not words or len(words) > 256 or not _PARAMETERS.issuperset(asked.query):
        problem = {
            "message": "The search is longer than 256 characters.",
            "resource": "Search",
            "field": "q",
            "code": "invalid",
        }
        return error(422, "Validation Failed", errors=[problem])
    fragments = "text-match" in asked.headers.get("accept", "")
    items = [_ITEMS[kind](words, number, fragments) for number in range(min(int(limit), 100))]
    found = {"total_count": 2345, "incomplete_results": False, "items": items}
    return Reply(200, found, _limit_headers(29, 60))


def _limit_headers(left: int, seconds: int) -> Mapping[str, str]:
    return {
        "X-RateLimit-Limit": "30",
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": str(int(time.time()) + seconds),
        "X-RateLimit-Resource": "search",
    }


def _repository(words: str, number: int, fragments: bool) -> Mapping[str, Any]:
    name = f"owner/{words.split()[0]}-{number}"
    return {
        "id": number,
        "full_name": name,
        "html_url": f"https://github.com/{name}",
        "description": None if number else f"A library for {words}",
        "stargazers_count": 100 - number,
        "forks_count": 7,
        "open_issues_count": 3,
        "language": "Python",
        "license": {"key": "mit", "spdx_id": "MIT"},
        "topics": ["search"],
        "archived": False,
        "pushed_at": "2026-11-20T10:00:00Z",
        "score": 1.0,
    }


def _code(words: str, number: int, fragments: bool) -> Mapping[str, Any]:
    path = f"src/module_{number}.py"
    found = {
        "name": f"module_{number}.py",
        "path": path,
        "sha": "d7212f9dee2dcc18f084d7df8f417b80846ded5a",
        "html_url": f"https://github.com/owner/name/blob/main/{path}",
        "repository": {"full_name": "owner/name"},
        "score": 1.0,
    }
    match = {"property": "content", "fragment": f"def f():\n    return {words!r}"}
    return {**found, "text_matches": [match]} if fragments else found


def _issue(words: str, number: int, fragments: bool) -> Mapping[str, Any]:
    return {
        "number": number,
        "title": f"{words} does not work",
        "html_url": f"https://github.com/owner/name/issues/{number}",
        "repository_url": "https://api.github.com/repos/owner/name",
        "state": "open",
        "user": {"login": "somebody"},
        "labels": [{"name": "bug"}],
        "comments": 2,
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-03T03:04:05Z",
        "body": f"I tried {words}.\n\nIt fails.",
        **({"pull_request": {"url": "https://api.github.com/x"}} if number % 2 else {}),
    }


_ITEMS: Final = {"repositories": _repository, "code": _code, "issues": _issue}
