"""The JSON of a body, of which each top-level field comes once."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.surfaces.v1.json_fields import parse_object, parsed

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
    read = RelayedBody.of(body)
    assert {name: parsed(read, name) for name in read.spans} == parse_object(read) == value


def test_one_value() -> None:
    body = RelayedBody.of(b'{"model":"m","n":null}')
    assert (parsed(body, "model"), parsed(body, "n"), parsed(body, "x")) == ("m", None, None)
