"""The official clients read streams whose upstream sends events on which they would break."""

from collections.abc import Callable
from typing import TypeAlias

import anthropic
import openai
import pytest
from anthropic import Anthropic
from openai import OpenAI
from tests.harness.fake_provider.fault import Malformed
from tests.harness.fake_provider.faults import Fault
from tests.harness.fake_provider.malformed_output import HugeLine, Junk
from tests.harness.fake_provider.script import Script, directive
from tests.harness.server import Server
from tests.sdks import targets
from tests.sdks.targets import UPSTREAMS

TEXT = "Tea is green, said the kettle, and the river runs."
IGNORED: tuple[Malformed, ...] = (
    "null_choices",
    "null_delta",
    "unknown_event",
    "empty_data",
    "unknown_fields",
)
Ask: TypeAlias = Callable[[Server, str, str], str]


def question(fault: Fault) -> str:
    return "Hello" + directive(Script(text=TEXT, tokens_per_delta=1, faults=(fault,)))


def chat(server: Server, upstream: str, content: str) -> str:
    """As most programs read: only a chunk with choices has a first one."""
    target = targets.through(upstream, server)
    with OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as client:
        stream = client.chat.completions.create(
            model=target.model, messages=[{"role": "user", "content": content}], stream=True
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream)


def messages(server: Server, upstream: str, content: str) -> str:
    target = targets.through(upstream, server)
    with (
        Anthropic(base_url=target.root_url, api_key=target.key, max_retries=0) as client,
        client.messages.stream(
            model=target.model, max_tokens=100, messages=[{"role": "user", "content": content}]
        ) as stream,
    ):
        return "".join(stream.text_stream)


def responses(server: Server, upstream: str, content: str) -> str:
    target = targets.through(upstream, server)
    with (
        OpenAI(base_url=target.base_url, api_key=target.key, max_retries=0) as client,
        client.responses.stream(model=target.model, input=content, store=False) as stream,
    ):
        said = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == said
        return said


@pytest.mark.parametrize("what", IGNORED)
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("ask", [chat, messages, responses])
def test_events_that_clients_cannot_read_do_not_reach_them(
    ask: Ask, upstream: str, what: Malformed, server: Server
) -> None:
    assert ask(server, upstream, question(Junk(what=what, after_tokens=3))) == TEXT


@pytest.mark.parametrize("fault", [Junk(what="not_an_object"), HugeLine(size=9 << 20)])
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("ask", [chat, messages, responses])
def test_what_is_no_event_is_an_error_of_the_upstream(
    ask: Ask, upstream: str, fault: Fault, server: Server
) -> None:
    with pytest.raises((openai.InternalServerError, anthropic.InternalServerError)) as failure:
        ask(server, upstream, question(fault))
    assert failure.value.status_code == 502
