"""Who may ask OpenAI's endpoints, and how."""

from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.openai import errors


def authorize(call: Call) -> None:
    """Raise the Refusal of a request without a key, or with a wrong one."""
    if not call.service.asks_for_key:
        return
    if not call.bearer:
        raise errors.no_key()
    if not call.service.accepts(call.bearer):
        raise errors.wrong_key(call.bearer)


def check_post(call: Call) -> None:
    """Raise the Refusal of what is no POST of JSON."""
    request = call.request
    if request.method != "POST":
        raise errors.wrong_method(request.method, call.path)
    content_type = request.header("content-type", "application/x-www-form-urlencoded")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise errors.wrong_content_type(content_type)
