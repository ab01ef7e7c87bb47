"""Files of the caller that bodies name by their ids are replaced by their content."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import InvalidInput
from cartrita.domain.messages import Attachment, Text
from cartrita.domain.principals import Principal
from cartrita.surfaces.anthropic.file_parts import MESSAGE_FILES
from cartrita.surfaces.openai.file_parts import CHAT_FILES, RESPONSE_FILES
from cartrita.surfaces.services import Services
from cartrita.surfaces.v1.own_files import FileFields, may_name_files, with_own_files
from cartrita.surfaces.v1.vendor_handles import OWN_FILES, refuse_vendor_ids

TEXT, IMAGE = "file_" + "0" * 32, "file_" + "1" * 32
HELD = {TEXT: Text("[File]"), IMAGE: Attachment("image/png", url="data:image/png;base64,YQ==")}
CHAT_TEXT = {"type": "file", "file": {"file_id": TEXT}}
CHAT_IMAGE = {"type": "file", "file": {"file_id": IMAGE}}
DOCUMENT = {
    "type": "document",
    "source": {"type": "file", "file_id": TEXT},
    "cache_control": {"type": "ephemeral"},
}
PICTURE = {"type": "image", "source": {"type": "file", "file_id": IMAGE}}


class _Context:
    def __init__(self) -> None:
        self.questions: list[str] = []

    async def loaded(self, owner_id: str, ids: list[str], question: str) -> list[Text | Attachment]:
        assert owner_id == "ann"
        self.questions.append(question)
        return [HELD[each] for each in ids]


CONTEXT = _Context()
SERVICES = cast("Services", SimpleNamespace(file_context=CONTEXT))


def body(value: Any) -> RelayedBody:
    return RelayedBody.of(json.dumps(value).encode())


async def filled(parts: FileFields, value: Any) -> Any:
    made = await with_own_files(parts, SERVICES, Principal("ann", "key"), body(value))
    return json.loads(made.octets)


@pytest.mark.parametrize(
    ("parts", "field", "given", "made"),
    [
        (CHAT_FILES, "messages", CHAT_TEXT, {"type": "text", "text": "[File]"}),
        (
            CHAT_FILES,
            "messages",
            CHAT_IMAGE,
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,YQ=="}},
        ),
        (
            RESPONSE_FILES,
            "input",
            {"type": "input_file", "file_id": TEXT},
            {"type": "input_text", "text": "[File]"},
        ),
        (
            RESPONSE_FILES,
            "input",
            {"type": "input_image", "file_id": IMAGE, "detail": "low"},
            {"type": "input_image", "image_url": "data:image/png;base64,YQ==", "detail": "low"},
        ),
        (
            MESSAGE_FILES,
            "messages",
            DOCUMENT,
            {"type": "text", "text": "[File]", "cache_control": {"type": "ephemeral"}},
        ),
        (
            MESSAGE_FILES,
            "messages",
            PICTURE,
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "YQ=="},
            },
        ),
    ],
)
async def test_parts(parts: FileFields, field: str, given: Any, made: Any) -> None:
    other = {"type": "text", "text": TEXT}
    asked = {"model": "m", field: [{"role": "user", "content": [other, given]}], "n": 1}
    assert may_name_files(body(asked))
    assert await filled(parts, asked) == {
        "model": "m",
        field: [{"role": "user", "content": [other, made]}],
        "n": 1,
    }


@pytest.mark.parametrize(
    ("parts", "field", "given", "question"),
    [
        (CHAT_FILES, "messages", [{"role": "user", "content": "Where?"}], "Where?"),
        (CHAT_FILES, "messages", [{"role": "assistant", "content": "Here."}], ""),
        (CHAT_FILES, "messages", [{"role": "user", "content": []}, "x", {"role": "user"}], ""),
        (
            RESPONSE_FILES,
            "input",
            [
                {"role": "user", "content": [{"type": "input_text", "text": "Where?"}]},
                {"role": "assistant", "content": [{"type": "output_text", "text": "Here."}]},
            ],
            "Where?",
        ),
        (
            MESSAGE_FILES,
            "messages",
            [
                {"role": "user", "content": [{"type": "text", "text": "Old"}]},
                {"role": "user", "content": [{"type": "text", "text": "A"}, {"text": "B"}]},
                {"role": "user", "content": [{"type": "tool_result", "content": "C"}]},
            ],
            "A\nB",
        ),
    ],
)
async def test_files_are_looked_through_for_what_was_asked_last(
    parts: FileFields, field: str, given: list[Any], question: str
) -> None:
    named = {CHAT_FILES: CHAT_TEXT, MESSAGE_FILES: DOCUMENT}.get(parts)
    named = named or {"type": "input_file", "file_id": TEXT}
    await filled(parts, {field: [{"role": "user", "content": [named]}, *given]})
    assert CONTEXT.questions[-1] == question


async def test_files_in_results_of_tools() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [PICTURE]}
    found = await filled(MESSAGE_FILES, {"messages": [{"role": "user", "content": [result]}]})
    source = found["messages"][0]["content"][0]["content"][0]["source"]
    assert source["type"] == "base64"


OURS = {"type": "page_location", "file_id": TEXT, "start_page_number": 2}
THEIRS = {"type": "page_location", "file_id": None, "start_page_number": 2}
ANNOTATION = {"type": "file_citation", "file_id": TEXT, "filename": "a.pdf", "index": 3}


@pytest.mark.parametrize(
    ("parts", "field", "part", "made"),
    [
        (
            MESSAGE_FILES,
            "messages",
            {"type": "text", "text": "Here [1].", "citations": [OURS, THEIRS]},
            {"type": "text", "text": "Here [1].", "citations": [THEIRS]},
        ),
        (
            RESPONSE_FILES,
            "input",
            {"type": "output_text", "text": "Here [1].", "annotations": [ANNOTATION]},
            {"type": "output_text", "text": "Here [1].", "annotations": []},
        ),
    ],
)
async def test_citations_of_own_files_in_parts_are_left_out(
    parts: FileFields, field: str, part: Any, made: Any
) -> None:
    asked = {field: [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [part]}]}
    assert may_name_files(body(asked))
    refuse_vendor_ids(body(asked), ours=frozenset({OWN_FILES}))
    assert (await filled(parts, asked))[field][1]["content"] == [made]


async def test_citations_of_own_files_in_chat_messages_are_left_out() -> None:
    page = {"type": "url_citation", "url_citation": {"url": "https://a.test/", "title": "A"}}
    ours = {"type": "url_citation", "url_citation": {"url": f"/api/files/{TEXT}/content#page=2"}}
    answer = {"role": "assistant", "content": "Here [1].", "annotations": [page, ours]}
    asked = {"messages": [answer]}
    assert may_name_files(body(asked))
    assert await filled(CHAT_FILES, asked) == {"messages": [{**answer, "annotations": [page]}]}


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [{"role": "user", "content": TEXT}]},
        {"messages": ["x", 1, None]},
        {"messages": [{"content": [{"type": "file", "file": {"file_id": "file-abc"}}]}]},
        {"messages": [{"content": [{"type": "file", "file": TEXT}]}]},
        {"messages": [{"content": [{"type": "text", "text": TEXT}]}]},
        {"metadata": {"type": "file", "file": {"file_id": TEXT}}},
        {"messages": {"type": "file", "file": {"file_id": TEXT}}},
    ],
)
async def test_what_names_no_file_stays_as_it_came(value: Any) -> None:
    given = body(value)
    made = await with_own_files(CHAT_FILES, SERVICES, Principal("ann", "key"), given)
    assert made is given


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"messages": [CHAT_TEXT]}, True),
        ({"messages": [{"text": "file_" + "0" * 31}]}, False),
        ({"messages": [{"text": "a file_" + "0" * 32}]}, False),
        ({"messages": []}, False),
    ],
)
def test_which_bodies_are_looked_through(value: Any, found: bool) -> None:
    assert may_name_files(body(value)) is found


@pytest.mark.parametrize(
    "part",
    [CHAT_TEXT, DOCUMENT, PICTURE, {"type": "input_file", "file_id": TEXT}],
)
def test_runs_may_name_files_of_ours(part: Any) -> None:
    asked = body({"messages": [{"role": "user", "content": [part]}]})
    refuse_vendor_ids(asked, ours=frozenset({OWN_FILES}))
    with pytest.raises(InvalidInput):
        refuse_vendor_ids(asked)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "container_upload", "file_id": TEXT},
        {"type": "input_file", "file_id": "file-abc"},
        {"type": "page_location", "file_id": "file-abc"},
        {"type": "container_file_citation", "file_id": TEXT},
        {"type": "input_file", "file_ids": [TEXT]},
        {"type": "code_interpreter", "container": {"file_ids": [TEXT]}},
    ],
)
def test_ids_elsewhere_are_refused(part: Any) -> None:
    asked = body({"messages": [{"role": "user", "content": [part]}]})
    with pytest.raises(InvalidInput):
        refuse_vendor_ids(asked, ours=frozenset({OWN_FILES}))
