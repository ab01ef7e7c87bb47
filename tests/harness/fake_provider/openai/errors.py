"""Refusals in OpenAI's envelope: status, message, type, param and code as the vendor words them."""

from collections.abc import Sequence

import msgspec
from tests.harness.fake_provider.refusal import Refusal


class OpenAIRefusal(Refusal):
    """The request is answered with `status` and `{"error": {message, type, param, code}}`."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, status, code)
        self._kind = kind
        self._param = param

    @property
    def error(self) -> dict[str, str | None]:
        return {
            "message": self.message,
            "type": self._kind,
            "param": self._param,
            "code": self.code,
        }

    def body(self, request_id: str) -> bytes:
        return msgspec.json.format(msgspec.json.encode({"error": self.error}), indent=2)


def no_key() -> OpenAIRefusal:
    return OpenAIRefusal(
        "You didn't provide an API key. You need to provide your API key in an Authorization "
        "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password "
        "field (with blank username) if you're accessing the API from your browser and are "
        "prompted for a username and password.",
        status=401,
    )


def wrong_key(key: str) -> OpenAIRefusal:
    shown = f"{key[:3]}{'*' * max(len(key) - 7, 3)}{key[-4:]}"
    return OpenAIRefusal(
        f"Incorrect API key provided: {shown}.", status=401, code="invalid_api_key"
    )


def no_such_model(model: str) -> OpenAIRefusal:
    return OpenAIRefusal(
        f"The model `{model}` does not exist or you do not have access to it.",
        status=404,
        code="model_not_found",
    )


def no_such_url(method: str, path: str) -> OpenAIRefusal:
    return OpenAIRefusal(f"Invalid URL ({method} {path})", status=404)


def wrong_method(method: str, path: str) -> OpenAIRefusal:
    return OpenAIRefusal(
        f"Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP "
        "method?)",
        status=405,
        code="method_not_supported",
    )


def not_json() -> OpenAIRefusal:
    return OpenAIRefusal(
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't "
        "using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was "
        "sent was not valid JSON.)"
    )


def wrong_content_type(content_type: str) -> OpenAIRefusal:
    return OpenAIRefusal(
        f"Unsupported content type: '{content_type}'. This API method only accepts "
        "'application/json' requests, but you specified the header 'Content-Type: "
        f"{content_type}'. Please try again with a supported content type.",
        code="unsupported_content_type",
    )


def too_large() -> OpenAIRefusal:
    return OpenAIRefusal(
        "Maximum request body size exceeded.", status=413, code="request_too_large"
    )


def unrecognized(names: Sequence[str]) -> OpenAIRefusal:
    plural = "s" if len(names) > 1 else ""
    return OpenAIRefusal(f"Unrecognized request argument{plural} supplied: {', '.join(names)}")


def missing(path: str) -> OpenAIRefusal:
    return OpenAIRefusal(
        f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter"
    )


def unknown(path: str) -> OpenAIRefusal:
    return OpenAIRefusal(f"Unknown parameter: '{path}'.", param=path, code="unknown_parameter")


def wrong_type(path: str, expected: str, value: object) -> OpenAIRefusal:
    return OpenAIRefusal(
        f"Invalid type for '{path}': expected {expected}, but got {kind_of(value)} instead.",
        param=path,
        code="invalid_type",
    )


def wrong_value(path: str, value: object, supported: Sequence[str]) -> OpenAIRefusal:
    quoted = [f"'{name}'" for name in supported]
    listed = ", ".join(quoted[:-1]) + f"{',' * (len(quoted) > 2)} and " * (len(quoted) > 1)
    return OpenAIRefusal(
        f"Invalid value: '{value}'. Supported values are: {listed}{quoted[-1]}.",
        param=path,
        code="invalid_value",
    )


def out_of_bounds(path: str, detail: str, code: str) -> OpenAIRefusal:
    return OpenAIRefusal(f"Invalid '{path}': {detail}", param=path, code=code)


def answer_to(status: int) -> OpenAIRefusal:
    """What the vendor says with a status that has nothing to do with the request."""
    message, kind, code = _ANSWERS.get(status, _ANSWERS[500])
    return OpenAIRefusal(message, status=status, kind=kind, code=code)


_ANSWERS: dict[int, tuple[str, str, str | None]] = {
    401: ("Incorrect API key provided: sk-fa***fake.", "invalid_request_error", "invalid_api_key"),
    402: (
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    403: (
        "You are not allowed to sample from this model",
        "invalid_request_error",
        "permission_denied",
    ),
    404: (
        "The model `fake` does not exist or you do not have access to it.",
        "invalid_request_error",
        "model_not_found",
    ),
    408: ("Request timed out.", "server_error", None),
    409: ("The resource was changed by another request.", "invalid_request_error", None),
    429: (
        "Rate limit reached for fake in organization org-fake on requests per min (RPM): Limit 3, "
        "Used 3, Requested 1. Please try again in 20s.",
        "requests",
        "rate_limit_exceeded",
    ),
    500: (
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
        None,
    ),
    503: ("The engine is currently overloaded, please try again later", "server_error", None),
    529: ("Overloaded", "overloaded_error", None),
}


def kind_of(value: object) -> str:
    """A JSON value's kind in the words of the vendor's messages."""
    return _KINDS[type(value)]


_KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
    type(None): "null",
}
