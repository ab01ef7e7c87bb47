"""Brave Search's API as its documentation describes it: web and news, codes, limits in headers."""

from typing import Final

from tests.harness.search_services.exchange import KEY, Asked, Reply

_PARAMETERS: Final = {
    *("q", "count", "offset", "country", "search_lang", "ui_lang", "safesearch", "freshness"),
    *("text_decorations", "spellcheck", "result_filter", "extra_snippets", "units"),
}


def error(
    status: int, code: str, detail: str, *, remaining: str = "0, 14000", reset: str = "1, 86412"
) -> Reply:
    """An error; of a 429 the headers tell what is left in a second and in a month, and when."""
    body = {
        "id": "a3d86b9a-bfbb-4d2b-8b8c-d1b5a4b5d8b1",
        "status": status,
        "detail": detail,
        "code": code,
        "meta": {"component": "rate_limiter"},
    }
    headers = {
        "X-RateLimit-Limit": "1, 15000",
        "X-RateLimit-Policy": "1;w=1, 15000;w=2592000",
        "X-RateLimit-Remaining": remaining,
        "X-RateLimit-Reset": reset,
    }
    whole = {"type": "ErrorResponse", "error": body, "time": 1_795_900_000}
    return Reply(status, whole, headers if status == 429 else {})


def answer(asked: Asked) -> Reply:
    """What Brave says."""
    if asked.headers.get("x-subscription-token") != KEY:
        return error(
            422, "SUBSCRIPTION_TOKEN_INVALID", "The provided subscription token is invalid."
        )
    words, count = asked.query.get("q", ""), asked.query.get("count", "20")
    if (
        not 1 <= len(words) <= 400
        or len(words.split()) > 50
        or not (count.isdigit() and 1 <= int(count) <= 20)
        or not _PARAMETERS.issuperset(asked.query)
        or asked.query.get("freshness", "pd") not in ("pd", "pw", "pm", "py")
    ):
        return error(422, "VALIDATION", "Unable to validate request parameter(s)")
    results = [
        {
            "type": "search_result",
            "title": f"{words} &amp; <strong>{number}</strong>",
            "url": f"https://example.org/{number}",
            "description": f"Of <strong>{words}</strong>, page {number}: 1 &lt; 2",
            "page_age": "2026-11-20T08:00:00",
            "age": "November 20, 2026",
        }
        for number in range(int(count))
    ]
    if asked.path == "/res/v1/news/search":
        return Reply(200, {"type": "news", "query": {"original": words}, "results": results})
    if asked.path == "/res/v1/web/search":
        found = {"type": "search", "results": results, "family_friendly": True}
        return Reply(200, {"type": "search", "query": {"original": words}, "web": found})
    return Reply(404, {"type": "ErrorResponse", "error": {"code": "NOT_FOUND", "status": 404}})
