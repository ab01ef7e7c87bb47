"""What is sent is what the vendor documents; what it does not take is told."""

import json
from typing import Any

import pytest

from cartrita.dialects.openai_responses import DIALECT
from cartrita.dialects.openai_responses.request_rendering import ServerOptions, render
from cartrita.domain.errors import InvalidInput
from cartrita.domain.file_places import FilePlace
from cartrita.domain.messages import (
    Attachment,
    CacheBreakpoint,
    Citation,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)
from cartrita.domain.requests import ModelRequest, ReasoningOptions, Sampling, VendorFields
from cartrita.domain.tools import NamedTool, ToolSpec, VendorTool

FOREIGN = "anthropic_messages"


def rendered(*messages: Message, **fields: Any) -> tuple[dict[str, Any], set[str]]:
    request = ModelRequest(owner_id="o", model="gpt", messages=messages, **fields)
    result = render(request)
    return json.loads(result.body), {receipt.field for receipt in result.receipts}


def user(*parts: Part) -> Message:
    return Message(Role.USER, parts)


def test_the_least_is_a_stream_that_stores_nothing() -> None:
    assert rendered(user(Text("Hi"))) == (
        {
            "model": "gpt",
            "input": [
                {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "Hi"}],
                }
            ],
            "stream": True,
            "store": False,
        },
        set(),
    )


def test_what_the_system_cites_is_told_as_lost() -> None:
    cited = Citation("A", origin=FOREIGN, vendor={"cited_text": "A"})
    body, lost = rendered(user(Text("Hi")), Message(Role.SYSTEM, (Text("Be brief."), cited)))
    assert body["input"][1]["content"] == [{"type": "input_text", "text": "Be brief."}]
    assert lost == {"messages.citations"}


def test_the_vendors_fields_decide_what_is_stored() -> None:
    body, lost = rendered(vendor=VendorFields(DIALECT, {"store": True, "metadata": {"a": "b"}}))
    assert (body["store"], body["metadata"], lost) == (True, {"a": "b"}, set())


def test_the_role_of_later_instructions_is_the_servers() -> None:
    request = ModelRequest(
        owner_id="o", model="gpt", messages=(Message(Role.SYSTEM, (Text("x"),)),)
    )
    for role in ("developer", "system"):
        body = json.loads(render(request, ServerOptions(role), stream=False).body)
        assert (body["input"][0]["role"], body["stream"]) == (role, False)


def test_results_hold_text_or_files() -> None:
    image = Attachment("image/png", url="data:image/png;base64,QQ==")
    body, _ = rendered(
        Message(
            Role.TOOL,
            (ToolResult("a", (Text("x"),)), ToolResult("b", (image,)), ToolResult("c", ())),
        )
    )
    assert [item["output"] for item in body["input"]] == [
        "x",
        [{"type": "input_image", "image_url": "data:image/png;base64,QQ==", "detail": "auto"}],
        "",
    ]


def test_an_answer_becomes_its_items_in_their_order() -> None:
    body, lost = rendered(
        Message(
            Role.ASSISTANT,
            (
                Reasoning("hm", None, "gAAA", DIALECT, "rs_1"),
                Text("See"),
                Citation("A", "https://a"),
                Citation("no address"),
                Citation("a.pdf, page 2", FilePlace("file_" + "0" * 32, "a.pdf", 2).url),
                ToolCall("c", "f", {"a": 1}),
                Text("."),
            ),
        )
    )
    annotation = {
        "type": "url_citation",
        "url": "https://a",
        "title": "A",
        "start_index": 0,
        "end_index": 3,
    }
    assert body["input"] == [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "id": "rs_1",
            "encrypted_content": "gAAA",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "See", "annotations": [annotation]}],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a":1}'},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": ".", "annotations": []}],
        },
    ]
    assert lost == set()


def test_functions_are_strict_only_where_that_is_said() -> None:
    spec = ToolSpec("f", "", {"type": "object"}, cache=CacheBreakpoint())
    body, lost = rendered(tools=(spec,), tool_choice=NamedTool("f"))
    assert body["tools"] == [
        {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
    ]
    assert body["tool_choice"] == {"type": "function", "name": "f"}
    assert lost == {"tools.cache_control"}


def test_no_choice_without_tools() -> None:
    body, lost = rendered(tools=(VendorTool(FOREIGN, "bash", {}),), tool_choice="required")
    assert "tool_choice" not in body
    assert lost == {"tools.bash"}


def test_what_this_api_has_no_word_for_is_told() -> None:
    body, lost = rendered(
        sampling=Sampling(
            stop=("x",), seed=1, top_k=2, presence_penalty=1, logit_bias={"1": 2}, max_tokens=4
        ),
        vendor=VendorFields("openai_chat", {"n": 2}),
        origin="openai_chat",
    )
    assert body["max_output_tokens"] == 16
    assert lost == {
        *("stop", "seed", "top_k", "presence_penalty", "logit_bias", "n"),
        "max_completion_tokens",
    }


def test_what_only_another_vendor_reads_is_told() -> None:
    cached = CacheBreakpoint("1h")
    foreign = VendorPart(FOREIGN, {"type": "search_result"})
    document = Attachment(
        "application/pdf", url="https://a/b.pdf", name="b", context="x", cited=True
    )
    _, lost = rendered(
        user(Text("a", cached), document, foreign),
        Message(
            Role.ASSISTANT,
            (
                Reasoning("hm", "sig", None, FOREIGN),
                foreign,
                document,
                ToolCall("c", "f", {}, cached),
            ),
        ),
        Message(Role.TOOL, (ToolResult("c", (), success=False), foreign)),
        instructions=(Text("x", cached),),
        origin=FOREIGN,
    )
    assert lost == {
        *("messages.cache_control", "messages.context", "messages.citations"),
        *("messages.search_result", "messages.reasoning", "messages.attachments"),
        *("messages.is_error", "system.cache_control"),
    }


def test_what_only_another_vendor_knows_of_a_tool_is_told() -> None:
    tool = ToolSpec("a", "", {"type": "object"}, origin=FOREIGN, more={"input_examples": [{}]})
    body, lost = rendered(tools=(tool,), origin=FOREIGN)
    assert "input_examples" not in body["tools"][0]
    assert lost == {"tools.input_examples"}


@pytest.mark.parametrize(
    ("options", "effort"),
    [
        (ReasoningOptions(mode="disabled"), "none"),
        (ReasoningOptions(budget_tokens=1024), "minimal"),
        (ReasoningOptions(budget_tokens=5000), "medium"),
        (ReasoningOptions(budget_tokens=50_000), "high"),
        (ReasoningOptions(effort="low", budget_tokens=50_000), "low"),
    ],
)
def test_a_budget_becomes_an_effort(options: ReasoningOptions, effort: str) -> None:
    body, lost = rendered(reasoning=options)
    assert body["reasoning"] == {"effort": effort}
    assert bool(lost) == (options.effort is None)


@pytest.mark.parametrize(
    ("shown", "summary"), [(None, "auto"), ("summarized", "auto"), ("omitted", None)]
)
def test_a_caller_who_takes_thinking_gets_it_and_can_send_it_back(
    shown: str | None, summary: str | None
) -> None:
    options = ReasoningOptions(budget_tokens=2000, mode="enabled", summary=shown)
    body, _ = rendered(reasoning=options, origin="anthropic_messages")
    assert body["reasoning"].get("summary") == summary
    assert body["include"] == ["reasoning.encrypted_content"]


def test_nobody_gets_reasoning_without_asking() -> None:
    options = ReasoningOptions(mode="disabled")
    body, _ = rendered(reasoning=options, origin="anthropic_messages")
    assert "include" not in body
    assert body["reasoning"] == {"effort": "none"}


def test_a_file_that_is_not_loaded_is_refused() -> None:
    with pytest.raises(InvalidInput):
        rendered(user(Attachment("image/png", attachment_id="x")))
