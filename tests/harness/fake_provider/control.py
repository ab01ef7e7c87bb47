"""The endpoints that only tests know: scripts to assign, requests to look at."""

import msgspec
from tests.harness.fake_provider.dialect import Service
from tests.harness.fake_provider.http import Request
from tests.harness.fake_provider.oauth.tokens import Terms
from tests.harness.fake_provider.openai import errors
from tests.harness.fake_provider.request_log import RequestLog
from tests.harness.fake_provider.script_selection import Assignment

PATHS = frozenset({"/_script", "/_requests", "/_open", "/_tokens"})


def answer(request: Request, service: Service, request_log: RequestLog) -> bytes:
    """Return the JSON that answers a control request; raises Refusal."""
    match request.method, request.path:
        case "POST", "/_script":
            service.selector.assign(_assignment(request.body))
        case "DELETE", "/_script":
            service.selector.reset()
        case "GET", "/_requests":
            return msgspec.json.encode(request_log.since(int(request.header("since", "0"))))
        case "DELETE", "/_requests":
            request_log.clear()
        case "GET", "/_open":
            return msgspec.json.encode(request_log.open())
        case (("POST" | "DELETE"), "/_tokens"):
            _rule_tokens(request, service)
        case method, path:
            raise errors.wrong_method(method, path)
    return b"{}"


def _rule_tokens(request: Request, service: Service) -> None:
    """Revoke those given out, or set the terms of the next ones."""
    if service.tokens is None:
        raise errors.OpenAIRefusal("This server was started without --oauth.", status=404)
    if request.method == "DELETE":
        service.tokens.revoke()
        return
    try:
        service.tokens.terms = msgspec.json.decode(request.body, type=Terms)
    except msgspec.DecodeError as error:
        raise errors.OpenAIRefusal(f"No terms: {error}") from error


def _assignment(body: bytes) -> Assignment:
    try:
        return msgspec.json.decode(body, type=Assignment)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.OpenAIRefusal(f"Not a script: {error}", code="invalid_script") from error
