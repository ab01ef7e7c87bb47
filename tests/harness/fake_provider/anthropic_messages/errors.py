"""Refusals in Anthropic's envelope: status, type and message as the vendor words them."""

import msgspec
from tests.harness.fake_provider.refusal import Refusal


class AnthropicRefusal(Refusal):
    """Answered with `{"type": "error", "error": {type, message, details}, "request_id"}`.

    The details are there where the vendor has a code for what is wrong.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        details: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message, status)
        self.kind = kind
        self.details = details

    @property
    def error(self) -> dict[str, object]:
        error: dict[str, object] = {"type": self.kind, "message": self.message}
        return error if self.details is None else error | {"details": self.details}

    def body(self, request_id: str) -> bytes:
        return msgspec.json.encode({"type": "error", "error": self.error, "request_id": request_id})


def at(path: str, message: str) -> AnthropicRefusal:
    """What is wrong with one field."""
    return AnthropicRefusal(f"{path}: {message}")


def extra(path: str) -> AnthropicRefusal:
    return at(path, "Extra inputs are not permitted")


def missing(path: str) -> AnthropicRefusal:
    return at(path, "Field required")


def wrong_type(path: str, expected: str) -> AnthropicRefusal:
    return at(path, f"Input should be {expected}")


def no_key() -> AnthropicRefusal:
    return AnthropicRefusal("x-api-key header is required", status=401, kind="authentication_error")


def wrong_key(what: str) -> AnthropicRefusal:
    return AnthropicRefusal(f"invalid {what}", status=401, kind="authentication_error")


def no_such_model(model: str) -> AnthropicRefusal:
    return AnthropicRefusal(f"model: {model}", status=404, kind="not_found_error")


def no_such_url() -> AnthropicRefusal:
    return AnthropicRefusal("Not found", status=404, kind="not_found_error")


def wrong_method() -> AnthropicRefusal:
    return AnthropicRefusal("Method Not Allowed", status=405)


def too_large() -> AnthropicRefusal:
    return AnthropicRefusal(
        "Request exceeds the maximum size", status=413, kind="request_too_large"
    )


def answer_to(status: int) -> AnthropicRefusal:
    """What the vendor says with a status that has nothing to do with the request."""
    kind, message = _ANSWERS.get(status, _ANSWERS[500])
    return AnthropicRefusal(message, status=status, kind=kind)


_ANSWERS: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "The request could not be read."),
    401: ("authentication_error", "invalid x-api-key"),
    402: (
        "billing_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing "
        "to upgrade or purchase credits.",
    ),
    403: ("permission_error", "Your API key does not have permission to use the resource."),
    404: ("not_found_error", "Not found"),
    405: ("invalid_request_error", "Method Not Allowed"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: (
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute.",
    ),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "Request timed out"),
    529: ("overloaded_error", "Overloaded"),
}
