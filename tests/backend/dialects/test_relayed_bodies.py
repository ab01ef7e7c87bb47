"""A relayed body is changed where it is asked for, and nowhere else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import dialect_examples

from cartrita.dialects import relayed_bodies
from cartrita.dialects.relayed_bodies import RelayedBody, replaced, rewrite, told
from cartrita.domain.errors import Malformed

values = st.none() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
bodies = st.dictionaries(st.text(max_size=4) | st.just("model"), values, max_size=5)
layouts = st.sampled_from(({}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}))


@given(bodies, layouts)
@dialect_examples
def test_only_the_named_field_changes(body: dict[str, Any], layout: dict[str, Any]) -> None:
    sent = json.dumps(body, **layout).encode("utf-8", "surrogatepass")
    changed = rewrite(RelayedBody.of(sent), {"model": replaced("new")})
    assert json.loads(changed) == {**body, "model": "new"}
    if "model" in body:
        assert rewrite(RelayedBody.of(changed), {"model": replaced(body["model"])}) == rewrite(
            RelayedBody.of(sent), {"model": replaced(body["model"])}
        )


@given(bodies, layouts)
@dialect_examples
def test_every_field_is_found(body: dict[str, Any], layout: dict[str, Any]) -> None:
    octets = f" {json.dumps(body, **layout)}\n".encode("utf-8", "surrogatepass")
    read = RelayedBody.of(octets)
    assert {name: read.parsed(name) for name in read.spans} == read.parsed_whole() == body
    assert read.parsed("absent field") is None


def test_a_body_that_is_nested_too_deep() -> None:
    octets = b'{"a":%b1%b}' % (b"[" * 100_000, b"]" * 100_000)
    with pytest.raises(Malformed, match="nested deeper than 64 levels"):
        RelayedBody.of(octets)


@pytest.mark.parametrize(("opened", "closed"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_body_has_64_levels_at_most(opened: bytes, closed: bytes) -> None:
    def nested(levels: int) -> bytes:
        return b'{"z":%b1%b}' % (opened * (levels - 1), closed * (levels - 1))

    assert RelayedBody.of(nested(64)).parsed_whole()
    with pytest.raises(Malformed, match="nested deeper than 64 levels"):
        RelayedBody.of(nested(65))


def test_an_answer_that_is_nested_too_deep_is_told_as_it_is() -> None:
    octets = b'{"a":%b1%b}' % (b"[" * 600, b"]" * 600)
    assert told(octets, {"model": replaced("b")}) == octets


def test_every_other_byte_is_kept() -> None:
    sent = b' { "model" : "a\\u0062" ,\n"x":[ 1.00 ,{"model":1}], "big": 1e400 } '
    assert rewrite(RelayedBody.of(sent), {"model": replaced("c")}) == sent.replace(
        b'"a\\u0062"', b'"c"'
    )


@pytest.mark.parametrize("value", [b'"\xff"', b"1e999"])
def test_a_value_that_is_no_json_is_refused_when_it_is_asked_for(value: bytes) -> None:
    body = RelayedBody.of(b'{"model":' + value + b',"stream":true}')
    assert body.parsed("stream") is True
    with pytest.raises(Malformed, match="The body is not JSON"):
        body.parsed("model")


def test_a_change_sees_what_was_there() -> None:
    seen: list[bytes | None] = []

    def change(old: bytes | None) -> bytes:
        seen.append(old)
        return b"2"

    assert rewrite(RelayedBody.of(b'{"a": 1}'), {"a": change, "b": change}) == b'{"a": 2,"b":2}'
    assert rewrite(RelayedBody.of(b"{}"), {"b": change, "c": change}) == b'{"b":2,"c":2}'
    assert seen == [b"1", None, None, None]


@given(bodies, layouts)
@dialect_examples
def test_a_span_holds_the_value_of_its_field(body: dict[str, Any], layout: dict[str, Any]) -> None:
    sent = json.dumps(body, **layout).encode("utf-8", "surrogatepass")
    read = RelayedBody.of(sent)
    assert {name: json.loads(read.value(name) or b"") for name in read.spans} == body
    assert read.value("no such field") is None


@given(bodies.filter(bool), values, st.data())
@dialect_examples
def test_a_field_that_comes_twice_is_refused(
    value: dict[str, Any], again: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(value)))
    pairs = [*value.items()]
    pairs.insert(data.draw(st.integers(0, len(pairs))), (name, again))
    text = ",".join(f"{json.dumps(key)}:{json.dumps(inside)}" for key, inside in pairs)
    with pytest.raises(Malformed, match="twice"):
        RelayedBody.of(f"{{{text}}}".encode())


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
        b"null",
        b'{"a":1} x',
        b'{"a":\xff}',
        b'{"a":NaN}',
    ],
)
def test_two_equal_fields_and_other_than_objects_are_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        RelayedBody.of(body)


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b'{"a": 1}', b'{"a": 2}'),
        (b'{"a": 1, "a": 1}', None),
        (b'{"a": 1, "b": "\\ud800"}', None),
    ],
)
def test_what_providers_send_stays_as_it_is_where_it_cannot_be_changed(
    octets: bytes, told: bytes | None
) -> None:
    assert relayed_bodies.told(octets, {"a": replaced(2)}) == (told or octets)


def test_fields_are_left_out() -> None:
    body = RelayedBody.of(b'{ "a": 1.50, "b": null, "c": {"b": 1} }')
    assert body.without(("x", "y")) is body
    assert body.without(("x", "b")).octets == b'{"a":1.50,"c":{"b": 1}}'
    inside = RelayedBody.of(b'{"c": {"b": 1}}')
    assert inside.without(("b",)) is inside
