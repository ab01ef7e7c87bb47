"""Anthropic's endpoints: messages, the count of their tokens, and models."""

import re
from datetime import UTC, datetime

from tests.harness.fake_provider.anthropic_messages import errors, message_request
from tests.harness.fake_provider.anthropic_messages.answer import Answer
from tests.harness.fake_provider.anthropic_messages.threads import Threads
from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.plain_answer import PlainAnswer
from tests.harness.fake_provider.steps import Steps

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")
_MESSAGES = "/v1/messages"
_COUNT = f"{_MESSAGES}/count_tokens"
_MODELS = "/v1/models"


def answer(call: Call) -> Steps:
    """Return what to do on the socket; raises Refusal."""
    _authorize(call)
    _check_version(call)
    if call.path == _MESSAGES:
        return _message(call)
    if call.path == _COUNT:
        return _count(call)
    if call.path == _MODELS or call.path.startswith(f"{_MODELS}/"):
        return _models(call)
    raise errors.no_such_url()


def request_id_header() -> str:
    return "request-id"


def refuse_script(message: str) -> errors.AnthropicRefusal:
    return errors.AnthropicRefusal(message)


def _authorize(call: Call) -> None:
    if not call.service.asks_for_key:
        return
    key = call.request.header("x-api-key")
    if key and not call.service.manners.comet:
        if not call.service.accepts(key):
            raise errors.wrong_key("x-api-key")
    elif not call.bearer:
        raise errors.no_key()
    elif not call.service.accepts(call.bearer):
        raise errors.wrong_key("bearer token")


def _check_version(call: Call) -> None:
    version = call.request.header("anthropic-version")
    if not version:
        raise errors.at("anthropic-version", "header is required")
    if not _VERSION.fullmatch(version):
        raise errors.at("anthropic-version", f'"{version}" is not a valid version')


def _check_post(call: Call) -> None:
    if call.request.method != "POST":
        raise errors.wrong_method()
    content_type = call.request.header("content-type").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise errors.AnthropicRefusal("The content type must be application/json.")


def _message(call: Call) -> Steps:
    _check_post(call)
    service = call.service
    threads = Threads(service.threads, call.request.header("anthropic-beta"))
    body = call.request.body
    request = message_request.parse(body, service.selector.models, service.seal, threads)
    call.exchange.script = service.selector.choose(call.path, request.model, request.asked)
    answered = Answer(call, call.exchange.script, request)
    threads.hold(answered.id, request.fields, answered.content)
    return answered.steps()


def _count(call: Call) -> Steps:
    _check_post(call)
    service = call.service
    request = message_request.parse_counted(
        call.request.body, service.selector.models, service.seal
    )
    document = {"input_tokens": request.input_tokens}
    return PlainAnswer(call, document, errors.answer_to).steps()


def _models(call: Call) -> Steps:
    if call.request.method != "GET":
        raise errors.wrong_method()
    cards = [_card(call, name) for name in call.service.selector.models]
    if call.path == _MODELS:
        listing = {
            "data": cards,
            "has_more": False,
            "first_id": cards[0]["id"],
            "last_id": cards[-1]["id"],
        }
        return PlainAnswer(call, listing, errors.answer_to).steps()
    name = call.path.removeprefix(f"{_MODELS}/")
    found = next((card for card in cards if card["id"] == name), None)
    if found is None:
        raise errors.no_such_model(name)
    return PlainAnswer(call, found, errors.answer_to).steps()


def _card(call: Call, name: str) -> dict[str, str]:
    created = datetime.fromtimestamp(call.service.started, UTC)
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
