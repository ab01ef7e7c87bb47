"""Generated requests as this dialect's clients can make them."""

import base64
from typing import cast

from hypothesis import strategies as st
from tests.backend.dialects.strategies import PNG, SCHEMAS

from cartrita.dialects.openai_responses import DIALECT
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Citation,
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import (
    ModelRequest,
    ReasoningOptions,
    ResponseFormat,
    Sampling,
    VendorFields,
)
from cartrita.domain.tools import NamedTool, ToolSpec, VendorTool

words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
ids = st.text("abc123", min_size=1, max_size=6)
json_values = words | st.integers(-9, 9) | st.booleans() | st.none() | st.lists(words, max_size=2)
json_objects = cast("st.SearchStrategy[JsonObject]", st.dictionaries(ids, json_values))
caches = st.none() | st.builds(CacheBreakpoint, st.sampled_from((None, "30m", "12h")))
base64s = ids.map(lambda text: base64.b64encode(text.encode()).decode())
pictures = ids.map(lambda text: base64.b64encode(PNG + text.encode()).decode())
images = st.builds(
    Attachment,
    st.just("image/png"),
    url=pictures.map(lambda data: f"data:image/png;base64,{data}"),
    detail=st.sampled_from((None, "low", "high", "original")),
    cache=caches,
)
files = st.builds(
    Attachment,
    st.just("application/pdf"),
    url=base64s.map(lambda data: f"data:application/pdf;base64,{data}"),
    name=ids,
    detail=st.sampled_from((None, "low")),
    cache=caches,
)
audio = st.builds(
    Attachment, st.just("audio/wav"), url=base64s.map(lambda data: f"data:audio/wav;base64,{data}")
)
texts = st.builds(Text, words, caches)
reasoning = st.builds(
    Reasoning, words, st.none(), ids, st.just(DIALECT), ids.map(lambda each: f"rs_{each}")
)
vendor_items = st.builds(
    VendorPart,
    st.just(DIALECT),
    json_objects.map(lambda data: {**data, "type": "web_search_call", "id": "ws_1"}),
)


@st.composite
def cited_texts(draw: st.DrawFn) -> list[Part]:
    """A text and its citations, as one content part holds them."""
    text = draw(words)
    spans = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=2))
    return [
        Text(text),
        *(
            Citation(f"t{n}", "https://a.example", index=n + 1, start=start, end=end)
            for n, (start, end) in enumerate(spans)
        ),
    ]


@st.composite
def turns(draw: st.DrawFn, first_call: int) -> tuple[list[Message], int]:
    """A user's message and what follows it, with call ids from `first_call` on."""
    asked: list[Part] = draw(st.lists(texts | images | files | audio, min_size=1, max_size=3))
    role = draw(st.sampled_from((Role.USER, Role.SYSTEM))) if first_call else Role.USER
    said: list[Part] = list(draw(st.lists(reasoning | vendor_items, max_size=2)))
    for part in draw(st.lists(cited_texts() | st.builds(Refusal, words).map(lambda r: [r]))):
        said.extend(part)
    count = draw(st.integers(0, 2))
    calls = [f"call_{first_call + n}" for n in range(count)]
    said.extend(ToolCall(each, draw(ids), draw(json_objects)) for each in calls)
    results = [
        ToolResult(each, tuple(draw(st.lists(texts | images, min_size=1, max_size=2))))
        for each in calls
    ]
    messages = [Message(role, tuple(asked))]
    if said:
        messages.append(Message(Role.ASSISTANT, tuple(said)))
    if results:
        messages.append(Message(Role.TOOL, tuple(results)))
    return messages, first_call + count


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    messages: list[Message] = []
    calls = 0
    for _ in range(draw(st.integers(1, 3))):
        more, calls = draw(turns(calls))
        messages.extend(more)
    return tuple(messages)


specs = st.builds(
    ToolSpec,
    st.just("weather"),
    words,
    SCHEMAS,
    st.none() | st.booleans(),
)
formats = st.sampled_from(
    (
        ResponseFormat(),
        ResponseFormat("json"),
        ResponseFormat("json_schema", "n", {"type": "object"}, "d", True),
        ResponseFormat("json_schema", "n", {"type": "object"}),
    )
)


@st.composite
def requests(draw: st.DrawFn) -> ModelRequest:
    """A whole request in this dialect."""
    search = VendorTool(DIALECT, "web_search", {"type": "web_search"})
    tools = tuple(draw(st.lists(specs, max_size=1))) + tuple(
        draw(st.lists(st.just(search), max_size=1))
    )
    named = any(isinstance(tool, ToolSpec) for tool in tools)
    instructions = draw(words)
    vendor: JsonObject = draw(
        st.sampled_from(
            (
                {},
                {"truncation": "auto", "text": {"verbosity": "low"}},
                {"include": ["web_search_call.results"], "reasoning": {"context": "auto"}},
            )
        )
    )
    return ModelRequest(
        owner_id="owner",
        model=draw(ids),
        messages=draw(conversations()),
        instructions=(Text(instructions),) if instructions else (),
        tools=tools,
        tool_choice=draw(st.sampled_from((NamedTool("weather"), "required", "none")))
        if named
        else "auto",
        parallel_tool_calls=draw(st.none() | st.booleans()),
        sampling=Sampling(
            temperature=draw(st.none() | st.floats(0, 2)),
            top_p=draw(st.none() | st.floats(0, 1)),
            max_tokens=draw(st.none() | st.integers(16, 10_000)),
            logprobs=draw(st.none() | st.integers(0, 20)),
        ),
        response_format=draw(formats),
        reasoning=ReasoningOptions(
            effort=draw(st.sampled_from((None, "low", "xhigh"))),
            summary=draw(st.sampled_from((None, "auto"))),
            encrypted=draw(st.booleans()),
        ),
        user=draw(st.none() | ids),
        origin=DIALECT,
        vendor=VendorFields(DIALECT, vendor) if vendor else None,
    )
