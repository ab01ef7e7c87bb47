"""What goes through the dialect comes out as it was, however the bytes of a stream are cut.

The properties are tried on requests and answers that the dialect can say exactly.
"""

import base64
import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.dialects.strategies import (
    CHARACTERS,
    IMAGE_LINKS,
    SECRETS,
    Abilities,
    Content,
    answers,
    content_of,
    conversations,
    requests,
    splits,
)
from tests.backend.examples import dialect_examples

from cartrita.dialects.anthropic_messages.answer_fields import MessageHead
from cartrita.dialects.anthropic_messages.models import ModelOptions
from cartrita.dialects.anthropic_messages.relay import BodyMonitor, Monitor
from cartrita.dialects.anthropic_messages.request_parsing import parse
from cartrita.dialects.anthropic_messages.request_rendering import render
from cartrita.dialects.anthropic_messages.response_rendering import render as render_whole
from cartrita.dialects.anthropic_messages.stream_parsing import StreamParser
from cartrita.dialects.anthropic_messages.stream_rendering import StreamRenderer
from cartrita.domain.deltas import Delta, FinishReason
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Attachment, Message, Text, ToolResult
from cartrita.domain.requests import ModelRequest, ResponseFormat, Sampling
from cartrita.kit import sse

ORIGIN = "anthropic_messages"
ASKED = Abilities(
    refusals=False,
    sealed=(ORIGIN,),
    citations=False,
    system_messages=False,
)
ANSWERED = Abilities(
    refusals=False,
    sealed=(ORIGIN, "openai_responses", "openai_chat"),
    reasoning_ids=False,
    interleaved_calls=True,
    finish_reasons=(FinishReason.STOP, FinishReason.LENGTH),
)
HEAD = MessageHead(id="msg_1", model="model-1")


def _file(media_type: str, beginning: bytes) -> st.SearchStrategy[Attachment]:
    return st.binary(max_size=12).map(
        lambda data: Attachment(
            media_type,
            url=f"data:{media_type};base64,{base64.b64encode(beginning + data).decode()}",
        )
    )


TEXTS = st.text(CHARACTERS, max_size=12).map(
    lambda text: Attachment(
        "text/plain",
        url=f"data:text/plain;base64,{base64.b64encode(text.encode()).decode()}",
        cited=True,
    )
)
FILES = (
    _file("image/png", b"\x89PNG\r\n\x1a\n")
    | _file("application/pdf", b"%PDF-")
    | TEXTS
    | IMAGE_LINKS
)
SAMPLING = st.builds(
    Sampling,
    temperature=st.none() | st.floats(0, 1),
    top_p=st.none() | st.floats(0, 1),
    max_tokens=st.integers(1, 10**6),
    stop=st.lists(st.sampled_from(["a", "END"]), max_size=2).map(tuple),
    top_k=st.none() | st.integers(0, 100),
)


def has_words(messages: tuple[Message, ...]) -> bool:
    """Whether no text is blank: the API takes none that is."""
    parts = [part for message in messages for part in message.parts]
    parts += [item for part in parts if isinstance(part, ToolResult) for item in part.content]
    return all(part.text.strip() for part in parts if isinstance(part, Text))


def tells_input(deltas: list[Delta]) -> bool:
    """Whether the answer tells its input tokens: the dialect writes an estimate for none."""
    return all(end.usage.input_tokens for end in content_of(deltas).finished)


def sayable(request: ModelRequest) -> ModelRequest:
    """The request with what the dialect has no field for left out."""
    schema = request.response_format.schema
    kind = request.response_format.kind
    instructions = tuple(part for part in request.instructions if part.text.strip())
    return msgspec.structs.replace(
        request,
        instructions=instructions,
        response_format=ResponseFormat(kind, schema=schema),
        tool_choice=request.tool_choice,
    )


REQUESTS = requests(ORIGIN, conversations(ASKED, FILES).filter(has_words), SAMPLING).map(sayable)


ANSWERS = answers(ANSWERED).filter(tells_input)


@given(request=REQUESTS)
@dialect_examples
def test_a_request_is_read_back(request: ModelRequest) -> None:
    rendered = render(request, ModelOptions())
    assert rendered.receipts == ()
    assert parse(json.loads(rendered.body), "owner").request == request


def said(deltas: list[Delta]) -> Content:
    """What the deltas say, without the places of citations, which the dialect has no field for."""
    content = content_of(deltas)
    citations = [
        msgspec.structs.replace(citation, start=None, end=None) for citation in content.citations
    ]
    return content._replace(citations=citations)


def streamed(deltas: list[Delta]) -> bytes:
    renderer = StreamRenderer(HEAD)
    return b"".join(renderer.feed(delta) for delta in deltas)


def read(frames: list[sse.Frame]) -> list[Delta]:
    parser = StreamParser("fake")
    deltas = [delta for frame in frames for delta in parser.feed(frame.data, frame.event)]
    assert parser.ignored == 0
    return deltas + parser.end()


@given(data=st.data(), deltas=ANSWERS)
@dialect_examples
def test_a_streamed_answer_is_read_back_from_every_split(
    data: st.DataObject, deltas: list[Delta]
) -> None:
    pieces = data.draw(splits(streamed(deltas)))
    parser = sse.Parser()
    assert said(read([frame for piece in pieces for frame in parser.feed(piece)])) == said(deltas)


@given(data=st.data(), deltas=ANSWERS)
@dialect_examples
def test_a_relayed_answer_is_passed_on_whole_from_every_split(
    data: st.DataObject, deltas: list[Delta]
) -> None:
    stream = streamed(deltas)
    monitor = Monitor("fake")
    passed_on = [monitor.feed(piece) for piece in data.draw(splits(stream))]
    monitor.end()
    assert b"".join(passed_on) == stream
    assert said(monitor.deltas()) == said(deltas)
    assert monitor.usage == said(deltas).finished[0].usage


@given(deltas=ANSWERS)
@dialect_examples
def test_a_whole_answer_is_read_back(deltas: list[Delta]) -> None:
    monitor = BodyMonitor("fake")
    monitor.feed(render_whole(HEAD, deltas))
    assert _parsed_calls(said(monitor.deltas())) == _parsed_calls(said(deltas))


def _parsed_calls(content: Content) -> Content:
    """The content with the arguments of calls as values: their JSON may be spaced otherwise."""
    calls = [(call_id, name, _canonical(text)) for call_id, name, text in content.calls]
    return content._replace(calls=calls)


def _canonical(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


@given(signature=SECRETS | st.just(""), redacted=SECRETS | st.just(""))
@dialect_examples
def test_seals_are_kept_byte_for_byte(signature: str, redacted: str) -> None:
    blocks: list[JsonValue] = [
        {"type": "thinking", "thinking": "", "signature": signature},
        {"type": "redacted_thinking", "data": redacted},
    ]
    body: JsonObject = {
        "model": "m",
        "max_tokens": 1,
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": blocks},
            {"role": "user", "content": "b"},
        ],
    }
    rendered = render(parse(body, "o").request, ModelOptions(), stream=False)
    assert json.loads(rendered.body) == body
