"""OpenAI's endpoints: chat completions, embeddings and models."""

from tests.harness.fake_provider.dialect import Call, plain
from tests.harness.fake_provider.manners import PAGE
from tests.harness.fake_provider.openai import errors
from tests.harness.fake_provider.openai.access import authorize, check_post
from tests.harness.fake_provider.openai_chat import chat_request
from tests.harness.fake_provider.openai_chat.answer import Answer
from tests.harness.fake_provider.openai_chat.embeddings import embed
from tests.harness.fake_provider.plain_answer import PlainAnswer
from tests.harness.fake_provider.steps import Steps

_CHAT = "/v1/chat/completions"
_EMBEDDINGS = "/v1/embeddings"
_MODELS = "/v1/models"


def answer(call: Call) -> Steps:
    """Return what to do on the socket; raises Refusal."""
    authorize(call)
    if call.path == _CHAT:
        return _chat(call)
    if call.path == _EMBEDDINGS:
        check_post(call)
        service = call.service
        document = embed(call.request.body, service.selector.models, service.seed)
        return PlainAnswer(call, document, errors.answer_to).steps()
    if call.path == _MODELS or call.path.startswith(f"{_MODELS}/"):
        return _models(call)
    if call.service.manners.comet:
        return plain(200, PAGE, "text/html; charset=utf-8")
    raise errors.no_such_url(call.request.method, call.path)


def request_id_header() -> str:
    return "x-request-id"


def refuse_script(message: str) -> errors.OpenAIRefusal:
    return errors.OpenAIRefusal(message, code="invalid_script")


def _chat(call: Call) -> Steps:
    check_post(call)
    selector = call.service.selector
    chat = chat_request.parse(call.request.body, selector.models)
    call.exchange.script = selector.choose(call.path, chat.model, chat.asked)
    return Answer(call, call.exchange.script, chat).steps()


def _models(call: Call) -> Steps:
    if call.request.method != "GET":
        raise errors.wrong_method(call.request.method, call.path)
    cards = {name: _card(call, name) for name in call.service.selector.models}
    if call.path == _MODELS:
        listing = {"object": "list", "data": list(cards.values())}
        return PlainAnswer(call, listing, errors.answer_to).steps()
    name = call.path.removeprefix(f"{_MODELS}/")
    if name not in cards:
        raise errors.no_such_model(name)
    return PlainAnswer(call, cards[name], errors.answer_to).steps()


def _card(call: Call, name: str) -> dict[str, str | int]:
    started = call.service.started
    return {"id": name, "object": "model", "created": started, "owned_by": "fake"}
