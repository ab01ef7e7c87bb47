"""OpenAI's endpoints for responses: create, and get or delete what was stored."""

from typing import cast

from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.openai import errors
from tests.harness.fake_provider.openai.access import authorize, check_post
from tests.harness.fake_provider.openai_responses import response_request
from tests.harness.fake_provider.openai_responses.answer import Answer
from tests.harness.fake_provider.openai_responses.response_request import Kept
from tests.harness.fake_provider.plain_answer import PlainAnswer
from tests.harness.fake_provider.steps import Steps

_RESPONSES = "/v1/responses"


def answer(call: Call) -> Steps:
    """Return what to do on the socket; raises Refusal."""
    authorize(call)
    kept = cast("dict[str, Kept]", call.service.kept)
    if call.path == _RESPONSES:
        return _create(call, kept)
    name, _, rest = call.path.removeprefix(f"{_RESPONSES}/").partition("/")
    if name not in kept:
        raise errors.OpenAIRefusal(f"Response with id '{name}' not found.", status=404)
    match call.request.method, rest:
        case "GET", "":
            document = kept[name].response
        case "GET", "input_items":
            document = _listing(kept[name])
        case "DELETE", "":
            del kept[name]
            document: dict[str, object] = {"id": name, "object": "response", "deleted": True}
        case method, _:
            raise errors.wrong_method(method, call.path)
    return PlainAnswer(call, document, errors.answer_to).steps()


def request_id_header() -> str:
    return "x-request-id"


def refuse_script(message: str) -> errors.OpenAIRefusal:
    return errors.OpenAIRefusal(message, code="invalid_script")


def _create(call: Call, kept: dict[str, Kept]) -> Steps:
    check_post(call)
    service = call.service
    request = response_request.parse(call.request.body, service.selector.models, service.seal, kept)
    call.exchange.script = service.selector.choose(call.path, request.model, request.asked)
    answered = Answer(call, call.exchange.script, request)
    if request.stored:
        kept[answered.id] = Kept(answered.response(), [*request.said, *answered.output])
    return answered.steps()


def _listing(kept: Kept) -> dict[str, object]:
    output = len(cast("list[object]", kept.response["output"]))
    said = kept.said[: len(kept.said) - output]
    data = [{"id": f"item_{index}", **each} for index, each in enumerate(said)]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"],
        "last_id": data[-1]["id"],
        "has_more": False,
    }
