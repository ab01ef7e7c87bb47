"""Tavily's search as docs.tavily.com describes it, with the fields of its SDK 0.8.5."""

from collections.abc import Mapping
from typing import Any, Final

from tests.harness.search_services.exchange import KEY, Asked, Reply

_SENTENCES: Final = {
    401: "Unauthorized: missing or invalid API key.",
    429: "Your request has been blocked due to excessive requests. Please reduce rate of requests.",
    432: "This request exceeds your plan's set usage limit. Please upgrade your plan.",
    433: "This request exceeds the pay-as-you-go limit. You can increase it on the dashboard.",
    500: "Internal Server Error",
}
_FIELDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "query": str,
    "search_depth": str,
    "topic": str,
    "time_range": str,
    "start_date": str,
    "end_date": str,
    "days": int,
    "max_results": int,
    "include_answer": (bool, str),
    "include_raw_content": (bool, str),
    "include_images": bool,
    "include_domains": list,
    "exclude_domains": list,
    "country": str,
    "chunks_per_source": int,
}


def error(status: int) -> Reply:
    """The error of a status."""
    return Reply(status, {"detail": {"error": _SENTENCES[status]}})


def keyless_error(
    status: int = 429, code: str = "keyless_limit", seconds: int | None = 3600
) -> Reply:
    """A refusal of a search without a key."""
    refusal = {
        "code": code,
        "message": "The keyless limit of this network is reached.",
        "window": "day",
        "retry_after_seconds": seconds,
        "next_actions": [{"type": "sign_up", "url": "https://app.tavily.com"}],
    }
    return Reply(status, {"error": refusal})


def answer(asked: Asked) -> Reply:
    """What Tavily says."""
    keyless = asked.headers.get("x-tavily-access-mode") == "keyless"
    if asked.bearer != KEY and not (keyless and "authorization" not in asked.headers):
        return error(401)
    if (asked.method, asked.path) == ("GET", "/usage") and not keyless:
        return Reply(200, {"key": {"usage": 150, "limit": 1000}, "account": {"plan_usage": 500}})
    if (asked.method, asked.path) != ("POST", "/search"):
        return Reply(404, {"detail": "Not Found"})
    problem = _problem(asked.body)
    return Reply(400, {"detail": {"error": problem}}) if problem else _found(asked.body)


def _problem(body: Any) -> str | None:
    if not isinstance(body, dict) or not body.get("query"):
        return "Query is missing."
    for name, value in body.items():
        kind = _FIELDS.get(name)
        if kind is None:
            return f"Unknown field {name}."
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            return f"Invalid type of {name}."
    if body.get("topic", "general") not in ("general", "news", "finance"):
        return "Invalid topic. Must be 'general', 'news' or 'finance'."
    if body.get("time_range", "day") not in ("day", "week", "month", "year"):
        return "Invalid time range."
    if not 0 <= body.get("max_results", 5) <= 20:
        return "Max results must be between 0 and 20."
    return None


def _found(body: Any) -> Reply:
    results = [
        {
            "title": f"{body['query']} {number}",
            "url": f"https://example.com/{number}",
            "content": f"What page {number} says of {body['query']}.",
            "score": round(0.99 - number / 100, 2),
            "raw_content": None,
        }
        for number in range(body.get("max_results", 5))
    ]
    if body.get("topic") == "news":
        for one in results:
            one["published_date"] = "Mon, 23 Nov 2026 10:15:00 GMT"
    return Reply(
        200,
        {
            "query": body["query"],
            "follow_up_questions": None,
            "answer": f"In short: {body['query']}." if body.get("include_answer") else None,
            "images": [],
            "results": results,
            "response_time": 0.31,
            "request_id": "123e4567-e89b-12d3-a456-426614174111",
        },
    )
