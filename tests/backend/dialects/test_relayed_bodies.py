"""A relayed body is changed where it is asked for, and nowhere else."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import dialect_examples

from cartrita.dialects.relayed_bodies import replaced, rewrite, spans_of
from cartrita.domain.errors import Malformed

values = st.none() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
bodies = st.dictionaries(st.text(max_size=4) | st.just("model"), values, max_size=5)
layouts = st.sampled_from(({}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}))


@given(bodies, layouts)
@dialect_examples
def test_only_the_named_field_changes(body: dict[str, Any], layout: dict[str, Any]) -> None:
    sent = json.dumps(body, **layout).encode("utf-8", "surrogatepass")
    changed = rewrite(sent, {"model": replaced("new")})
    assert json.loads(changed) == {**body, "model": "new"}
    if "model" in body:
        assert rewrite(changed, {"model": replaced(body["model"])}) == rewrite(
            sent, {"model": replaced(body["model"])}
        )


def test_every_other_byte_is_kept() -> None:
    sent = b' { "model" : "a\\u0062" ,\n"x":[ 1.00 ,{"model":1}], "big": 1e400 } '
    assert rewrite(sent, {"model": replaced("c")}) == sent.replace(b'"a\\u0062"', b'"c"')


def test_a_change_sees_what_was_there() -> None:
    seen: list[bytes | None] = []

    def change(old: bytes | None) -> bytes:
        seen.append(old)
        return b"2"

    assert rewrite(b'{"a": 1}', {"a": change, "b": change}) == b'{"a": 2,"b":2}'
    assert rewrite(b"{}", {"b": change, "c": change}) == b'{"b":2,"c":2}'
    assert seen == [b"1", None, None, None]


@given(bodies, layouts)
@dialect_examples
def test_a_span_holds_the_value_of_its_field(body: dict[str, Any], layout: dict[str, Any]) -> None:
    sent = json.dumps(body, **layout).encode("utf-8", "surrogatepass")
    spans = spans_of(sent, msgspec.json.decode(sent, type=dict[str, msgspec.Raw]))
    assert {name: json.loads(sent[start:end]) for name, (start, end) in spans.items()} == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"b":2,"a":1}',
        b'{"a":1,"a":2,"b":3}',
        b'{"a":1,"a":12}',
        b'{"a":12,"a":1}',
        b'{"a":12,"b":2,"a":1}',
        b'{"a":{"a":1},"a":1}',
        b'{"a":1,"a":{"a":1}}',
        b'{"model":"a","mod\\u0065l":"b"}',
        b"[]",
        b"",
        b"{",
        b"[" * 100_000,
    ],
)
def test_two_equal_fields_and_other_than_objects_are_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        rewrite(body, {"model": replaced("x")})
