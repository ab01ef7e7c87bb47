"""Ids of what a vendor stores for its account are refused by name; what is the caller's is not."""

import json
from typing import Any

import pytest

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import InvalidInput
from cartrita.surfaces.v1 import vendor_handles as module
from cartrita.surfaces.v1.vendor_handles import REFERENCE, refuse_vendor_ids


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def user(*content: Any) -> list[Any]:
    return [{"role": "user", "content": list(content)}]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (body(previous_response_id="resp_1"), "previous_response_id"),
        (
            body(messages=user({"type": "file", "file": {"file_id": "file-1"}})),
            "messages[0].content[0].file.file_id",
        ),
        (
            body(messages=user({"type": "document", "source": {"type": "file", "file_id": "f"}})),
            "messages[0].content[0].source.file_id",
        ),
        (body(prompt={"id": "pmpt_1"}), "prompt"),
        (body(container="container_1"), "container"),
        (body(conversation={"id": "conv_1"}), "conversation"),
        (body(input=[{"type": "item_reference", "id": "msg_1"}]), "input[0].id"),
        (body(prompt=["pmpt_1"]), "prompt"),
        (body(conversation=["conv_1"]), "conversation"),
        (body(container=[{"id": "container_1"}]), "container"),
        (body(thread=7), "thread"),
        (
            body(type="tool_use", input=user({"type": "input_file", "file_id": "f"})),
            "input[0].content[0].file_id",
        ),
        (body(input=["x", {"id": "msg_1"}]), "input[1].id"),
        (body(input=[{"type": "compaction", "id": "cmp_1"}]), "input[0].id"),
        (body(input=[{"type": "image_generation_call", "id": "ig_1"}]), "input[0].id"),
        (
            body(container={"skills": [{"type": "custom", "skill_id": "skill_1"}]}),
            "container.skills[0].skill_id",
        ),
        (
            body(tools=[{"type": "code_interpreter", "container": "cntr_1"}]),
            "tools[0].container",
        ),
        (
            body(tools=[{"type": "code_interpreter", "container": {"file_ids": ["f"]}}]),
            "tools[0].container.file_ids",
        ),
        (
            body(tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}]),
            "tools[0].vector_store_ids",
        ),
        (body(messages=[{"role": "assistant", "audio": {"id": "a"}}]), "messages[0].audio"),
        (b'{"messages":[{"file":{"file\\u005fid":"f"}}]}', "messages[0].file.file_id"),
        (b'{"messages":[{"file":{"\\u0066ile_id":"f"}}]}', "messages[0].file.file_id"),
        (b'{"messages":[{"file":{"file\\u005Fid":"f"}}]}', "messages[0].file.file_id"),
    ],
)
def test_an_id_is_refused_by_its_field(given: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        refuse_vendor_ids(RelayedBody.of(given))
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize(
    "given",
    [
        body(messages=user({"type": "text", "text": "What is a file_id?"})),
        body(previous_response_id=None),
        body(previous_response_id="", prompt={}, conversation=None),
        body(input=[{"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}]),
        body(input=[{"role": "assistant", "id": "msg_1", "content": "x"}]),
        body(input=[{"type": "image_generation_call", "id": "ig_1", "result": "aGk="}]),
        body(container={"skills": [{"type": "anthropic", "skill_id": "xlsx"}]}),
        body(prompt={"text": "x"}),
        body(messages=[{"role": "tool", "tool_call_id": "call_1", "content": "file_id"}]),
        body(tools=[{"function": {"parameters": {"properties": {"file_id": {}}}}}]),
        body(tools=[{"input_schema": {"properties": {"file_id": {"type": "string"}}}}]),
        body(messages=user({"type": "tool_use", "input": {"file_id": "mine"}})),
        body(metadata={"batch_id": "7"}),
        body(tools=[{"type": "code_interpreter", "container": {"type": "auto"}}]),
        body(audio={"voice": "alloy"}, messages=[]),
    ],
)
def test_what_is_the_callers_own_passes(given: bytes) -> None:
    refuse_vendor_ids(RelayedBody.of(given))


@pytest.mark.parametrize(
    "given",
    [
        body(previous_response_id="resp_1", conversation={"id": "conv_1"}),
        body(input=[{"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}]),
    ],
)
def test_what_is_ours_passes(given: bytes) -> None:
    refuse_vendor_ids(
        RelayedBody.of(given), ours=frozenset({"previous_response_id", "conversation", REFERENCE})
    )


@pytest.mark.parametrize("kind", ["image_generation_call", "compaction"])
def test_an_item_of_the_vendors_own_is_never_ours(kind: str) -> None:
    given = RelayedBody.of(body(input=[{"type": kind, "id": "needle"}]))
    with pytest.raises(InvalidInput, match=r"input\[0\]\.id"):
        refuse_vendor_ids(given, ours=frozenset({REFERENCE}))


@pytest.mark.parametrize("mark", [*sorted(module._IDS), *module._IDS_BY_TYPE, "skill_id", "audio"])
def test_no_name_of_an_id_is_overlooked(mark: str) -> None:
    assert module._MARKED.search(f'{{"a":[{{"{mark}":1}}]}}'.encode())
    assert not module._MARKED.search(f'{{"a":[{{"x{mark}":1}}]}}'.encode())
