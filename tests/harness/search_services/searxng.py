"""SearXNG's search API as docs.searxng.org describes it; JSON is switched on."""

from typing import Final

from tests.harness.search_services.exchange import Asked, Reply

FORBIDDEN: Final = Reply(403, "<!doctype html><title>403 Forbidden</title>")
"""What an instance says that does not answer in JSON."""


def nothing(*silent: str) -> Reply:
    """No results, because these engines did not answer."""
    found = {"query": "x", "number_of_results": 0, "results": [], "answers": []}
    return Reply(200, {**found, "unresponsive_engines": [[name, "timeout"] for name in silent]})


def answer(asked: Asked) -> Reply:
    """What SearXNG says."""
    if (asked.method, asked.path) != ("GET", "/search"):
        return Reply(404, "<!doctype html><title>404</title>")
    if asked.query.get("format") != "json":
        return FORBIDDEN
    words = asked.query.get("q", "")
    if not words or asked.query.get("categories") not in ("general", "news"):
        return Reply(400, "<!doctype html><title>400</title>")
    results = [
        {
            "url": f"https://example.net/{number}",
            "title": f"{words} {number}",
            "content": f"Page {number} of {words}.",
            "publishedDate": "2026-11-21T00:00:00" if number == 0 else None,
            "engine": "mojeek",
            "engines": ["mojeek", "brave"],
            "positions": [number + 1],
            "score": 4.0 / (number + 1),
            "category": asked.query["categories"],
        }
        for number in range(10)
    ]
    return Reply(
        200,
        {
            "query": words,
            "number_of_results": 0,
            "results": results,
            "answers": [{"answer": f"Calculated: {words}", "url": None, "engine": "calculator"}],
            "corrections": [],
            "infoboxes": [],
            "suggestions": [],
            "unresponsive_engines": [["google", "CAPTCHA"]],
        },
    )
