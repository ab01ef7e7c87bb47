"""Changes of the contract are found, and those that break clients are told from the others."""

from dataclasses import replace
from typing import Any

import pytest
from tests.harness.served_contract import CONTRACT

from cartrita.contract.compatibility import takes
from cartrita.contract.definition_differences import Difference, definition_differences
from cartrita.contract.differences import differences
from cartrita.contract.model import (
    Constants,
    Contract,
    Definition,
    Enumeration,
    Field,
    ListOf,
    MapOf,
    Named,
    OneOf,
    Operation,
    OrNull,
    Parameter,
    Place,
    Plain,
    Record,
    Repetition,
    Scalar,
    Streaming,
    Type,
    Variants,
)

TEXT, INTEGER, NUMBER = Plain(Scalar.TEXT), Plain(Scalar.INTEGER), Plain(Scalar.NUMBER)
ANY, MOMENT = Plain(Scalar.ANY), Plain(Scalar.MOMENT)
CHAT = next(one for one in CONTRACT.operations if one.id == "post_chat")
LIST = next(one for one in CONTRACT.operations if one.id == "list_files")


def field(name: str, of: Type = TEXT, *, required: bool = False, default: Any = None) -> Field:
    return Field(name, of, required, default, "")


def record(*fields: Field, sent: bool = False, received: bool = False) -> Record:
    return Record("Box", "", fields, sent, received)


def breaks(before: Definition, after: Definition) -> list[bool]:
    return [one.breaking for one in definition_differences(before, after)]


def with_operation(**changes: Any) -> Contract:
    found = tuple(
        replace(one, **changes) if one.id == CHAT.id else one for one in CONTRACT.operations
    )
    return replace(CONTRACT, operations=found)


def with_definition(definition: Definition) -> Contract:
    return replace(CONTRACT, definitions={**CONTRACT.definitions, definition.name: definition})


def test_a_contract_does_not_differ_from_itself() -> None:
    assert differences(CONTRACT, CONTRACT) == []


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (ANY, ListOf(TEXT)),
        (TEXT, Constants(("a",))),
        (TEXT, MOMENT),
        (NUMBER, INTEGER),
        (Constants(("a", "b")), Constants(("b",))),
        (OrNull(NUMBER), INTEGER),
        (OrNull(NUMBER), OrNull(INTEGER)),
        (OneOf((TEXT, NUMBER)), INTEGER),
        (OneOf((TEXT, NUMBER)), OneOf((INTEGER, TEXT))),
        (ListOf(NUMBER), ListOf(INTEGER)),
        (MapOf(ANY), MapOf(TEXT)),
    ],
)
def test_a_type_takes_a_narrower_one_and_not_the_other_way(wide: Type, narrow: Type) -> None:
    assert takes(wide, narrow)
    assert not takes(narrow, wide)


def test_types_that_have_nothing_in_common_do_not_take_each_other() -> None:
    assert not takes(TEXT, INTEGER)
    assert not takes(Named("Box"), Named("Lid"))
    assert not takes(ListOf(TEXT), TEXT)


@pytest.mark.parametrize(
    ("before", "after", "as_sent", "as_received"),
    [
        ([field("a")], [], [True], [True]),
        ([], [field("a")], [False], [False]),
        ([], [field("a", required=True)], [True], [False]),
        ([field("a")], [field("a", required=True)], [True], [False]),
        ([field("a", required=True)], [field("a")], [False], [True]),
        ([field("a", INTEGER)], [field("a", NUMBER)], [False], [True]),
        ([field("a", NUMBER)], [field("a", INTEGER)], [True], [False]),
        ([field("a", TEXT)], [field("a", INTEGER)], [True], [True]),
        ([field("a", default=1)], [field("a", default=2)], [True], [False]),
        ([field("a", Constants(("x",)))], [field("a", Constants(("x", "y")))], [False], [False]),
        ([field("a", Constants(("x", "y")))], [field("a", Constants(("x",)))], [True], [True]),
    ],
)
def test_a_change_of_a_field_breaks_those_who_send_it_or_those_who_receive_it(
    before: list[Field], after: list[Field], as_sent: list[bool], as_received: list[bool]
) -> None:
    assert breaks(record(*before, sent=True), record(*after, sent=True)) == as_sent
    assert breaks(record(*before, received=True), record(*after, received=True)) == as_received


def test_values_and_variants_may_come_and_not_go() -> None:
    small = Enumeration("Size", "", ("small",))
    large = Enumeration("Size", "", ("small", "large"))
    assert breaks(small, large) == [False]
    assert breaks(large, small) == [True]
    one = Variants("Thing", "", "kind", (("box", "Box"),))
    two = Variants("Thing", "", "kind", (("box", "Box"), ("lid", "Lid")))
    assert breaks(one, two) == [False]
    assert breaks(two, one) == [True]
    assert breaks(one, replace(one, tag="type")) == [True]
    assert breaks(one, replace(small, name="Thing")) == [True]


def test_an_event_that_is_gone_breaks_clients() -> None:
    events = CONTRACT.definitions["ChatEvent"]
    assert isinstance(events, Variants)
    fewer = with_definition(replace(events, members=events.members[1:]))
    what = "the variant stream_start is gone"
    assert differences(CONTRACT, fewer) == [Difference("ChatEvent", what, breaking=True)]
    assert [one.breaking for one in differences(fewer, CONTRACT)] == [False]


def test_an_operation_that_is_gone_breaks_clients_and_a_new_one_does_not() -> None:
    fewer = replace(CONTRACT, operations=CONTRACT.operations[1:])
    gone = CONTRACT.operations[0].id
    assert differences(CONTRACT, fewer) == [Difference(gone, "is gone", breaking=True)]
    assert differences(fewer, CONTRACT) == [Difference(gone, "is new")]


@pytest.mark.parametrize(
    ("changes", "breaking"),
    [
        ({"path": "/api/talk"}, [True]),
        ({"method": "PUT"}, [True]),
        ({"body": None}, [True]),
        ({"answer": None}, [True]),
        ({"answer": Named("ChatResponse")}, [False]),
        ({"streaming": Streaming.NEVER}, [True]),
        ({"repetition": Repetition.UNSAFE}, [True]),
        ({"repetition": Repetition.SAFE}, [False]),
        ({"item": Named("Box")}, [True]),
        ({"provider": None}, [True]),
        ({"error_statuses": (*CHAT.error_statuses, 418)}, [False]),
        ({"query": (Parameter("new", Place.QUERY, TEXT, False, None, ""),)}, [False]),
        ({"query": (Parameter("new", Place.QUERY, TEXT, True, None, ""),)}, [True]),
        ({"description": "In other words."}, []),
    ],
)
def test_a_change_of_an_operation(changes: dict[str, Any], breaking: list[bool]) -> None:
    found = differences(CONTRACT, with_operation(**changes))
    assert [one.breaking for one in found] == breaking


def test_a_parameter_that_is_gone_breaks_clients() -> None:
    fewer = tuple(
        replace(one, query=()) if one.id == LIST.id else one for one in CONTRACT.operations
    )
    found = differences(CONTRACT, replace(CONTRACT, operations=fewer))
    assert [one.place for one in found] == sorted(f"list_files.{one.name}" for one in LIST.query)
    assert all(one.breaking for one in found)


def test_what_needs_a_credential_or_a_body_now_breaks_clients() -> None:
    def changed(operation: Operation) -> Operation:
        if operation.id == "get_health":
            return replace(operation, authenticated=True)
        if operation.id == "retry_message" and operation.body:
            return replace(operation, body=replace(operation.body, required=True))
        return operation

    after = replace(CONTRACT, operations=tuple(map(changed, CONTRACT.operations)))
    places = [one.place for one in differences(CONTRACT, after) if one.breaking]
    assert places == ["get_health", "retry_message"]


def test_codes_and_statuses_of_errors_stay() -> None:
    first, *rest = CONTRACT.error_kinds
    other = replace(first, codes=(*first.codes[1:], "brand_new"), statuses=(418,))
    found = differences(CONTRACT, replace(CONTRACT, error_kinds=(other, *rest)))
    assert {one.what: one.breaking for one in found} == {
        "has the statuses (418,)": True,
        f"the code {first.codes[0]} is gone": True,
        "the code brand_new is new": False,
    }


def test_frames_of_sockets_stay() -> None:
    socket, *others = CONTRACT.sockets
    fewer = replace(socket, sent=socket.sent[1:], received=(*socket.received, ("new", "Box")))
    found = differences(CONTRACT, replace(CONTRACT, sockets=(fewer, *others)))
    assert [(one.what, one.breaking) for one in found] == [
        ("the frame auth is gone", True),
        ("the frame new is new", False),
    ]


def test_those_that_break_clients_come_first() -> None:
    after = replace(with_operation(path="/api/talk"), operations=(
        *with_operation(path="/api/talk").operations,
        replace(CHAT, id="a_new_one"),
    ))  # fmt: skip
    assert [one.place for one in differences(CONTRACT, after)] == ["post_chat", "a_new_one"]
