"""CometAPI as the fake imitates it: Anthropic's dialect first, and chat where that is missing."""

import json
from collections.abc import Iterator

import pytest
from tests.harness.fake_provider.faults import Html, Redirect, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.script import Script

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.providers.anthropic_compatible import AnthropicCompatible
from cartrita.adapters.providers.credentials import Bearer
from cartrita.adapters.providers.dialect_fallback import (
    REMEMBERED_SECONDS,
    DialectFallback,
    is_missing,
)
from cartrita.adapters.providers.exchange import ProviderConnection
from cartrita.adapters.providers.openai_compatible import OpenAICompatible
from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import EndpointMissing, UpstreamError, UpstreamRejected
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.relays import Endpoint, RelayRequest
from cartrita.domain.requests import ModelRequest, Sampling
from cartrita.kit.secret import Secret

MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"
BODY = b'{"model":"fake","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}'


class Clock:
    now = 5_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def running_comet() -> Iterator[FakeProvider]:
    with fake_provider(models=["fake-small"], manners="comet") as fake:
        yield fake


@pytest.fixture
def comet(running_comet: FakeProvider) -> FakeProvider:
    running_comet.reset()
    return running_comet


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(comet: FakeProvider, http: HttpClient, clock: Clock) -> DialectFallback:
    connection = ProviderConnection(
        name="comet",
        base_url=comet.root_url,
        transport=http,
        credential=Bearer(Secret(comet.key)),
    )
    first, second = AnthropicCompatible(connection), OpenAICompatible(connection)
    return DialectFallback(first, second, clock=clock)


async def text(provider: DialectFallback, model: str = "fake", origin: str | None = None) -> str:
    message = Message(Role.USER, (Text("Hi"),))
    sampling = Sampling(max_tokens=99)
    request = ModelRequest(
        owner_id="o", model=model, messages=(message,), sampling=sampling, origin=origin
    )
    async with provider.stream(request) as deltas:
        return "".join([one.text async for one in deltas if isinstance(one, TextDelta)])


async def relayed(provider: DialectFallback, endpoint: Endpoint) -> bytes:
    request = RelayRequest(endpoint=endpoint, model="fake", body=BODY)
    async with provider.relay(request) as response:
        return await response.read()


def failing(
    comet: FakeProvider,
    status: int,
    message: str = "No.",
    code: str = "",
    path: str = MESSAGES,
    param: str = "",
) -> None:
    error = {"code": code, "message": message, "type": "comet_api_error", "param": param}
    fault = ReplacedResponse(status=status, body=json.dumps({"error": error}))
    comet.script(Script(faults=(fault,)), path=path)


def paths(comet: FakeProvider) -> list[str]:
    return [exchange.path for exchange in comet.requests()]


async def test_the_first_dialect_answers(comet: FakeProvider, provider: DialectFallback) -> None:
    assert await text(provider)
    assert paths(comet) == [MESSAGES]
    assert comet.requests()[0].header("authorization") == f"Bearer {comet.key}"
    assert provider.name == "comet"


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (404, "No such path.", ""),
        (405, "Not this method.", ""),
        (400, "The model is not supported on this endpoint.", ""),
        (500, "No.", "invalid_request"),
        (400, "No.", "unsupported_model"),
    ],
)
async def test_the_second_answers_where_the_first_is_missing(
    comet: FakeProvider,
    provider: DialectFallback,
    clock: Clock,
    status: int,
    message: str,
    code: str,
) -> None:
    failing(comet, status, message, code)
    if code == "invalid_request":
        with pytest.raises(UpstreamRejected):
            await text(provider)
        assert paths(comet) == [MESSAGES]
        return
    assert await text(provider)
    assert await text(provider)
    assert await text(provider, "fake-small")
    clock.now += REMEMBERED_SECONDS + 1
    assert await text(provider)
    assert paths(comet) == [MESSAGES, CHAT, CHAT, MESSAGES, MESSAGES]


async def test_a_page_is_a_missing_dialect(comet: FakeProvider, provider: DialectFallback) -> None:
    comet.script(Script(faults=(Html(),)), path=MESSAGES)
    assert await text(provider)
    assert paths(comet) == [MESSAGES, CHAT]


async def test_a_page_with_status_404_is_a_missing_dialect(
    comet: FakeProvider, provider: DialectFallback
) -> None:
    page = ReplacedResponse(status=404, headers={"Content-Type": "text/html"}, body="<html>")
    comet.script(Script(faults=(page,)), path=MESSAGES)
    assert await text(provider)
    assert paths(comet) == [MESSAGES, CHAT]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 408, 429, 500, 503])
async def test_any_other_error_is_the_answer(
    comet: FakeProvider, provider: DialectFallback, status: int
) -> None:
    failing(comet, status)
    with pytest.raises(UpstreamError) as caught:
        await text(provider)
    assert caught.value.status == status
    assert paths(comet) == [MESSAGES]


async def test_a_redirect_is_the_answer(comet: FakeProvider, provider: DialectFallback) -> None:
    comet.script(Script(faults=(Redirect(location="http://127.0.0.1:1/"),)), path=MESSAGES)
    with pytest.raises(UpstreamError):
        await text(provider)
    assert paths(comet) == [MESSAGES]


async def test_relays_go_to_their_dialect(comet: FakeProvider, provider: DialectFallback) -> None:
    assert provider.dialects == {"anthropic_messages", "openai_chat"}
    assert json.loads(await relayed(provider, Endpoint.MESSAGES))["type"] == "message"
    assert "choices" in json.loads(await relayed(provider, Endpoint.CHAT_COMPLETIONS))
    assert paths(comet) == [MESSAGES, CHAT]


@pytest.mark.parametrize("message", ["No such path.", "No such model."])
async def test_a_relay_without_its_dialect_says_so_and_is_translated_by_the_second(
    comet: FakeProvider, provider: DialectFallback, message: str
) -> None:
    failing(comet, 404, message)
    with pytest.raises(EndpointMissing) as caught:
        await relayed(provider, Endpoint.MESSAGES)
    assert message in caught.value.message
    assert provider.dialects == {"anthropic_messages", "openai_chat"}
    assert await text(provider)
    assert paths(comet) == [MESSAGES, CHAT]


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        ("The model is not supported on this endpoint.", True),
        ("The model `claude-x/2` is not supported.", True),
        ("Unsupported model: claude", True),
        ("This endpoint is unsupported.", True),
        ("Unsupported parameter: 'top_k'", False),
        ("Unsupported parameter: 'top_k' is not supported with this model.", False),
        ("For this model top_k is not supported.", False),
    ],
)
async def test_unsupported_counts_if_it_is_the_model_or_the_endpoint(
    comet: FakeProvider, provider: DialectFallback, message: str, missing: bool
) -> None:
    failing(comet, 400, message)
    with pytest.raises(UpstreamRejected) as caught:
        await relayed(provider, Endpoint.MESSAGES)
    assert isinstance(caught.value, EndpointMissing) is missing
    assert is_missing(caught.value) is missing


def test_an_unsupported_field_is_not_a_missing_endpoint() -> None:
    details: JsonObject = {"upstream_param": "model.reasoning"}
    error = UpstreamRejected("Model is not supported.", provider="comet", details=details)
    assert not is_missing(error)


@pytest.mark.parametrize(
    ("param", "told"), [("top_k", None), ("model.reasoning", "model"), ("stop[0]", "stop")]
)
async def test_a_refused_field_is_no_missing_endpoint_whatever_the_caller_calls_it(
    comet: FakeProvider, provider: DialectFallback, param: str, told: str | None
) -> None:
    failing(comet, 400, f"{param}: model claude-x-4 is not supported", param=param)
    with pytest.raises(UpstreamRejected) as caught:
        await text(provider, origin="openai_chat")
    assert caught.value.details.get("upstream_param") == told
    comet.script(Script(), path=MESSAGES)
    assert await text(provider, origin="openai_chat")
    assert paths(comet) == [MESSAGES, MESSAGES]


async def test_a_refused_model_is_missing_also_in_the_words_of_the_caller(
    comet: FakeProvider, provider: DialectFallback
) -> None:
    failing(comet, 400, "The model is not supported.", param="model")
    assert await text(provider, origin="openai_chat")
    assert paths(comet) == [MESSAGES, CHAT]


async def test_tokens_that_cannot_be_counted_say_nothing_about_messages(
    comet: FakeProvider, provider: DialectFallback
) -> None:
    failing(comet, 404, path="/v1/messages/count_tokens")
    with pytest.raises(UpstreamRejected) as caught:
        await relayed(provider, Endpoint.COUNT_TOKENS)
    assert not isinstance(caught.value, EndpointMissing)
    assert "anthropic_messages" in provider.dialects


async def test_models_are_listed_in_either_dialect(
    comet: FakeProvider, provider: DialectFallback
) -> None:
    assert "comet/fake-small" in {model.id for model in await provider.models()}
