"""What a translation loses is told, in each direction; strict mode refuses it by its field."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario
from tests.harness.server import Server
from tests.journeys.v1 import exchange_with, frames, post

from cartrita.dialects.anthropic_messages.foreign_seals import signature_of
from cartrita.domain.messages import Reasoning


class Direction(msgspec.Struct, frozen=True):
    """A path, the provider behind it, and fields that are lost between them."""

    path: str
    provider: str
    lossy: dict[str, Any]

    @property
    def field(self) -> str:
        return next(iter(self.lossy))

    def body(self, **fields: Any) -> dict[str, Any]:
        text = f"{uuid4().hex} {directive(Script(text='Hello there'))}"
        body: dict[str, Any] = {"model": f"{self.provider}/fake"}
        match self.path:
            case "/v1/responses":
                body |= {"input": text, "store": False, "max_output_tokens": 50}
            case "/v1/messages":
                body |= {"messages": [{"role": "user", "content": text}], "max_tokens": 50}
            case _:
                message = {"role": "user", "content": text}
                body |= {"messages": [message], "max_completion_tokens": 50}
        return body | fields


CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
DIRECTIONS = [
    Direction(CHAT, "anthropic", {"logit_bias": {"1": 2}}),
    Direction(CHAT, "responses", {"logit_bias": {"1": 2}}),
    Direction(CHAT, "anthropic", {"metadata": {"a": "b"}}),
    Direction(MESSAGES, "plain", {"top_k": 3}),
    Direction(MESSAGES, "responses", {"top_k": 3}),
    Direction(RESPONSES, "plain", {"truncation": "auto"}),
    Direction(RESPONSES, "anthropic", {"truncation": "auto"}),
]


@pytest.fixture(scope="module")
def directions(
    provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scenario]:
    """A server whose providers speak one dialect each."""
    names = {"plain": "openai_chat", "responses": "openai_responses"}
    tables = [
        f'[providers.{name}]\ndialect = "{dialect}"\nbase_url = "{provider.base_url}"\n'
        f'api_key_env = "OPENAI_API_KEY"\nmodels = ["fake"]\n'
        for name, dialect in names.items()
    ]
    configuration = tmp_path_factory.mktemp("receipts") / "cartrita.toml"
    configuration.write_text("\n".join(tables))
    settings = {
        "CARTRITA_CONFIG": str(configuration),
        "ANTHROPIC_BASE_URL": provider.root_url,
        "ANTHROPIC_API_KEY": provider.key,
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield Scenario(server, provider)


@pytest.mark.parametrize(
    "direction", DIRECTIONS, ids=lambda one: f"{one.path}-{one.provider}-{one.field}"
)
async def test_each_direction(directions: Scenario, direction: Direction) -> None:
    for stream in (False, True):
        exact = direction.body(stream=stream)
        status, headers, answer = await post(
            directions, direction.path, exact, X_Cartrita_Strict="true"
        )
        assert (status, headers.get("x-cartrita-receipts")) == (200, None), answer
        lossy = direction.body(stream=stream, **direction.lossy)
        status, headers, answer = await post(directions, direction.path, lossy)
        assert status == 200, answer
        (receipt,) = json.loads(headers["x-cartrita-receipts"])
        assert (receipt["field"], receipt["kind"]) == (direction.field, "dropped")
        assert receipt["from"] != receipt["to"]
        status, _, answer = await post(directions, direction.path, lossy, X_Cartrita_Strict="true")
        assert status == 400
        told = json.loads(answer)["error"]
        assert told["type"] == "invalid_request_error"
        assert direction.field in told["message"]
        if direction.path != MESSAGES:
            assert (told["param"], told["code"]) == (direction.field, "not_translatable")


def metadata_of(direction: Direction, answer: bytes, *, stream: bool) -> dict[str, Any]:
    """What the answer, or the end of its stream, tells of the way to it."""
    last = json.loads(answer) if not stream else {}
    for _, told in frames(answer) if stream else ():
        if told != "[DONE]" and ("metadata" in told or "response" in told):
            last = told.get("response", told)
    return last["cartrita" if direction.path == RESPONSES else "metadata"]


@pytest.mark.parametrize("direction", [DIRECTIONS[0], DIRECTIONS[3], DIRECTIONS[5]])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("more", [{"store": True}, {}, {"n": 2}])
async def test_each_kind_of_answer_tells_what_was_lost(
    directions: Scenario, direction: Direction, stream: bool, more: dict[str, Any]
) -> None:
    if "n" in more and direction.path != CHAT:
        pytest.skip("several answers are of chat completions only")
    body = direction.body(stream=stream, **direction.lossy) | more
    status, headers, answer = await post(directions, direction.path, body)
    assert (status, headers["x-cartrita-provider"]) == (200, direction.provider), answer
    told = metadata_of(direction, answer, stream=stream)
    receipts = told["receipts"]
    assert receipts == json.loads(headers["x-cartrita-receipts"])
    assert [receipt["field"] for receipt in receipts] == [direction.field]


@pytest.mark.parametrize("direction", [DIRECTIONS[0], DIRECTIONS[3], DIRECTIONS[5]])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_strict_run_names_the_field(
    directions: Scenario, direction: Direction, stream: bool
) -> None:
    body = direction.body(stream=stream, **direction.lossy) | {"store": True}
    status, _, answer = await post(directions, direction.path, body, X_Cartrita_Strict="true")
    told = json.loads(answer)["error"]
    assert (status, told["type"]) == (400, "invalid_request_error"), answer
    assert direction.field in told["message"]
    if direction.path != MESSAGES:
        assert (told["param"], told["code"]) == (direction.field, "not_translatable")


async def test_reasoning_that_this_server_sealed_is_not_passed_on(directions: Scenario) -> None:
    direction = Direction(MESSAGES, "anthropic", {})
    body = direction.body(top_k=3)
    seal = signature_of(Reasoning("Hm.", encrypted="abc", origin="openai_responses"))
    sealed = {"type": "thinking", "thinking": "Hm.", "signature": seal}
    said = {"role": "assistant", "content": [sealed, {"type": "text", "text": "Hi"}]}
    word: str = body["messages"][0]["content"].split()[0]
    body["messages"] = [{"role": "user", "content": "a"}, said, *body["messages"]]
    status, _, answer = await post(directions, MESSAGES, body)
    assert status == 200, answer
    assert seal not in exchange_with(directions, word).body
