"""The official clients write every answer out again, with all that we tell in it, unchanged.

Their models warn of values that their types do not have, and warnings are errors here. Of lists in
the `metadata` of a chat completion they warn, for it is typed as texts.
"""

import json
from typing import Any
from uuid import uuid4

import pytest
from anthropic import Anthropic
from openai import OpenAI
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fake_provider.timing_faults import CutOff
from tests.harness.server import Server
from tests.sdks import targets
from tests.sdks.targets import UPSTREAMS, Target

TEXT = "one two three four five six seven eight"
CUT = Script(text=TEXT, usage=False, faults=(CutOff(after_tokens=4),))


def asking(*, cut: bool) -> str:
    """For an answer that breaks off and is continued, and has no usage; or for any answer."""
    scripts = directive(CUT, Script(text=TEXT, usage=False)) if cut else ""
    return f"Hello {uuid4().hex}{scripts}"


def written(told: Any) -> dict[str, Any]:
    """The same JSON, in each way in which a client can write it."""
    fields = told.model_dump(mode="json", exclude_unset=True)
    assert json.loads(told.model_dump_json(exclude_unset=True)) == fields
    assert told.to_dict(mode="json") == fields
    assert told.model_dump()
    return fields


def tells_of(metadata: dict[str, Any]) -> None:
    """What was lost, and what failed."""
    for name, field in (("receipts", "field"), ("failovers", "provider")):
        if name in metadata:
            assert metadata[name][0][field]


def client_of(target: Target) -> OpenAI:
    return OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0)


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("more", [{}, {"n": 2}])
def test_chat_completions(
    server: Server, upstream: str, streamed: bool, more: dict[str, Any]
) -> None:
    target = targets.through(upstream, server)
    asked: Any = {
        "model": target.model,
        "max_completion_tokens": 100,
        "logit_bias": {"1": 2},
        "messages": [{"role": "user", "content": asking(cut=streamed)}],
        **more,
    }
    if upstream == "openai_chat" and more:
        pytest.skip("the provider itself gives several answers")
    with client_of(target) as client:
        if streamed:
            chunks = [written(one) for one in client.chat.completions.create(**asked, stream=True)]
            told = {name: one for each in chunks for name, one in each.get("metadata", {}).items()}
            assert "failovers" in told
        else:
            told = written(client.chat.completions.create(**asked)).get("metadata", {})
    assert ("receipts" in told) == (upstream != "openai_chat")
    tells_of(told)


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("stored", [False, True])
def test_messages(server: Server, upstream: str, streamed: bool, stored: bool) -> None:
    target = targets.through(upstream, server)
    asked: Any = {
        "model": target.model,
        "max_tokens": 100,
        "messages": [{"role": "user", "content": asking(cut=streamed)}],
        "extra_body": {"store": stored, "top_k": 3},
    }
    with Anthropic(base_url=target.root_url, api_key=target.key, max_retries=0) as client:
        if streamed:
            with client.messages.stream(**asked) as stream:
                events = [written(event) for event in stream]
                written(stream.get_final_message())
            told = {name: one for each in events for name, one in each.get("metadata", {}).items()}
            assert "failovers" in told
        else:
            told = written(client.messages.create(**asked)).get("metadata", {})
    assert ("receipts" in told) == (upstream != "anthropic_messages")
    tells_of(told)


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("stored", [False, True])
def test_responses(server: Server, upstream: str, streamed: bool, stored: bool) -> None:
    target = targets.through(upstream, server)
    asked: Any = {
        "model": target.model,
        "input": asking(cut=streamed),
        "truncation": "auto",
        "metadata": {"a": "b"} if stored else None,
        "store": stored,
    }
    with client_of(target) as client:
        if streamed:
            *_, last = [written(event) for event in client.responses.create(**asked, stream=True)]
            told = last["response"]["cartrita"]
            assert "failovers" in told
        else:
            response = client.responses.create(**asked)
            told = written(response).get("cartrita", {})
            if stored:
                written(client.responses.retrieve(response.id))
    assert "receipts" in told or upstream != "anthropic_messages"  # OpenAI itself has this API
    tells_of(told)
