"""The walker finds in the served documents all that clients need, and nothing besides."""

import keyword
from dataclasses import fields, is_dataclass

import pytest
from tests.harness.served_contract import CONTRACT, OPENAPI

from cartrita.contract.model import (
    BodyFormat,
    Constants,
    ListOf,
    Named,
    OneOf,
    Operation,
    Plain,
    ProviderKey,
    Record,
    Repetition,
    Scalar,
    Streaming,
    Variants,
)
from cartrita.domain.errors import ErrorKind

BY_ID = {operation.id: operation for operation in CONTRACT.operations}


def named(value: object) -> set[str]:
    """The names of all definitions that a part of the contract refers to."""
    if isinstance(value, Named):
        return {value.name}
    if isinstance(value, tuple):
        return {name for each in value for name in named(each)}
    if is_dataclass(value):
        return {name for one in fields(value) for name in named(getattr(value, one.name))}
    return set()


def test_every_native_route_is_a_method_but_for_those_that_say_so() -> None:
    served = {
        operation["operationId"]
        for path, methods in OPENAPI["paths"].items()
        for operation in methods.values()
        if not path.startswith("/v1/")
    }
    assert set(BY_ID) == served - {"get_asset", "get_page", "stream_chat_from_query"}


@pytest.mark.parametrize(
    "seeded",
    ["post_chat", "stream_chat", "get_agents", "upload_file", "search", "process_voice",
     "execute_computer_task"],
)  # fmt: skip
def test_the_methods_that_were_promised_are_there(seeded: str) -> None:
    assert seeded in BY_ID


def test_names_are_names_in_both_languages() -> None:
    names = [*BY_ID, *CONTRACT.definitions]
    assert [name for name in names if not name.isidentifier() or keyword.iskeyword(name)] == []
    assert [name for name in CONTRACT.definitions if "_" in name] == []


def test_all_that_is_referred_to_is_defined_and_nothing_else() -> None:
    wanted = named(CONTRACT.operations) | named(tuple(CONTRACT.definitions.values()))
    for definition in CONTRACT.definitions.values():
        if isinstance(definition, Variants):
            wanted |= {record for _, record in definition.members}
    for operation in CONTRACT.operations:
        wanted |= {operation.body.record} if operation.body and operation.body.record else set()
    for socket in CONTRACT.sockets:
        wanted |= {record for _, record in (*socket.sent, *socket.received)}
        wanted |= {socket.events, socket.place, socket.end_place, socket.refusal}
    assert set(CONTRACT.definitions) == wanted | {"ErrorBody", "InvalidBody"}


def test_definitions_know_which_way_they_go() -> None:
    ways = {name: (one.sent, one.received) for name, one in CONTRACT.definitions.items()}
    assert ways["ChatRequest"] == (True, False)
    assert ways["ChatResponse"] == (False, True)
    assert ways["TokenUsage"] == (False, True)
    assert ways["UserRole"] == (True, True)
    assert (False, False) not in ways.values()


def test_a_chat_can_be_streamed_repeated_and_paid_by_its_provider() -> None:
    chat = BY_ID["post_chat"]
    assert chat.streaming is Streaming.ON_REQUEST
    assert chat.repetition is Repetition.WITH_KEY
    assert chat.provider == ProviderKey("openai", "provider")
    assert chat.answer == OneOf((Named("ChatResponse"), Named("WaitingResponse")))
    assert chat.body is not None
    assert (chat.body.record, chat.body.required) == ("ChatRequest", True)
    assert chat.body.fields[0].name == "message"
    stream = BY_ID["stream_chat"]
    assert (stream.streaming, stream.resumable, stream.answer) == (Streaming.ALWAYS, True, None)


def test_pages_say_what_they_hold() -> None:
    paged = {one.id: one.item for one in CONTRACT.operations if one.item}
    assert paged["list_messages"] == Named("MessageView")
    for name, item in paged.items():
        answer = BY_ID[name].answer
        assert isinstance(answer, Named)
        page = CONTRACT.definitions[answer.name]
        assert isinstance(page, Record)
        items = page.field("items")
        assert items is not None
        assert items.type == ListOf(item)


def test_files_are_sent_in_forms_and_received_as_bytes() -> None:
    body = BY_ID["upload_file"].body
    assert body is not None
    assert body.format is BodyFormat.FORM
    assert [(one.name, one.type, one.required) for one in body.fields] == [
        ("file", Plain(Scalar.BYTES), True),
        ("conversation_id", Plain(Scalar.TEXT), False),
    ]
    bytes_ = {one.id for one in CONTRACT.operations if one.answer == Plain(Scalar.BYTES)}
    assert bytes_ == {
        "get_file_content",
        "get_file_image",
        "get_film",
        "get_screenshot",
        "export_conversation",
        "speak",
    }


def test_what_may_be_sent_again_is_told() -> None:
    unsafe = {one.id for one in CONTRACT.operations if one.repetition is Repetition.UNSAFE}
    assert {"create_key", "upload_file", "post_code", "fork_conversation"} <= unsafe
    assert not unsafe & {one.id for one in CONTRACT.operations if one.method == "GET"}
    assert BY_ID["replace_message"].repetition is Repetition.WITH_KEY


def test_the_events_are_those_of_the_union_and_two_are_the_last() -> None:
    union = CONTRACT.definitions["ChatEvent"]
    assert isinstance(union, Variants)
    assert [(event.name, event.record) for event in CONTRACT.events] == list(union.members)
    assert {event.name for event in CONTRACT.events if event.terminal} == {"done", "error"}
    for event in CONTRACT.events:
        frame = CONTRACT.definitions[event.record]
        assert isinstance(frame, Record)
        tag = frame.field("event")
        assert tag is not None
        assert tag.type == Constants((event.name,))
        assert isinstance(CONTRACT.definitions[event.data], Record)
        assert event.description


def test_every_kind_of_error_is_told_and_the_ends_of_runs() -> None:
    assert [kind.name for kind in CONTRACT.error_kinds] == [
        *(kind.value for kind in ErrorKind),
        "interrupted",
        "cancelled",
    ]
    for kind in CONTRACT.error_kinds:
        assert set(kind.lasting) <= set(kind.codes)
        assert all(400 <= status < 600 for status in kind.statuses)


def test_the_sockets_know_their_frames() -> None:
    told = [(socket.id, socket.path) for socket in CONTRACT.sockets]
    assert told == [("chat", "/ws/chat"), ("voice", "/ws/voice")]
    frames = [pair for socket in CONTRACT.sockets for pair in (*socket.sent, *socket.received)]
    for kind, record in frames:
        frame = CONTRACT.definitions[record]
        assert isinstance(frame, Record)
        tag = frame.field("type")
        assert tag is not None
        assert tag.type == Constants((kind,))


def test_the_rest_of_an_operation() -> None:
    run: Operation = BY_ID["get_run_events"]
    assert [one.name for one in run.path_parameters] == ["run_id"]
    assert [(one.name, one.default, one.required) for one in run.query] == [("after", 0, False)]
    assert (run.method, run.group, run.authenticated) == ("GET", "runs", True)
    assert {401, 404, 503} <= set(run.error_statuses)
    assert not BY_ID["get_health"].authenticated
