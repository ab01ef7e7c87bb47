"""The top-level fields of a body, byte for byte, each of which comes once."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.domain.errors import Malformed
from cartrita.surfaces.json_fields import parsed, top_level_fields, without

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=6), JSON, max_size=6)


@given(OBJECTS, st.sampled_from([None, 2]), st.booleans())
@examples
def test_every_field_is_found(value: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    body = f" {json.dumps(value, indent=indent, ensure_ascii=ascii_only)}\n".encode()
    fields = top_level_fields(body)
    assert {name: msgspec.json.decode(raw) for name, raw in fields.items()} == value


@given(OBJECTS.filter(bool), JSON, st.data())
@examples
def test_a_field_that_comes_twice_is_refused(
    value: dict[str, Any], again: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(value)))
    pairs = [*value.items()]
    pairs.insert(data.draw(st.integers(0, len(pairs))), (name, again))
    text = ",".join(f"{json.dumps(key)}:{json.dumps(inside)}" for key, inside in pairs)
    with pytest.raises(Malformed, match="twice"):
        top_level_fields(f"{{{text}}}".encode())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'{"a":1} x', b'{"a":\xff}', b'{"a":NaN}', b"[" * 100_000]
)
def test_what_is_no_object(body: bytes) -> None:
    with pytest.raises(Malformed):
        top_level_fields(body)


def test_one_value() -> None:
    fields = top_level_fields(b'{"model":"m","n":null}')
    assert (parsed(fields, "model"), parsed(fields, "n"), parsed(fields, "x")) == ("m", None, None)


def test_fields_are_left_out() -> None:
    body = b'{ "a": 1.50, "b": null, "c": {"b": 1} }'
    assert without(body, ("x", "y")) == body
    assert without(body, ("x", "b")) == b'{"a":1.50,"c":{"b": 1}}'
    inside = b'{"c": {"b": 1}}'
    assert without(inside, ("b",)) == inside
