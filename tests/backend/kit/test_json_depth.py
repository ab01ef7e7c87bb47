"""The depth of JSON is known without parsing it, whatever is written in its strings."""

import json
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.kit.json_depth import nests_deeper

_TEXTS = st.text(alphabet='[]{}"\\\n a\u00e9\ud800')
_VALUES = st.recursive(
    _TEXTS | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=30,
)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        inner = list(cast("dict[str, object]", value).values())
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    else:
        return 0
    return 1 + max(map(_depth, inner), default=0)


@given(_VALUES, st.booleans())
@examples
def test_the_depth_of_json(value: object, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped)
    depth = _depth(value)
    for data in (text, text.encode("utf-8", "surrogatepass")):
        assert not nests_deeper(data, depth)
        assert depth == 0 or nests_deeper(data, depth - 1)


def test_brackets_in_strings_are_no_levels() -> None:
    assert not nests_deeper(json.dumps({"a": '"[{\\' * 1000}), 1)


def test_many_values_beside_each_other_are_no_levels() -> None:
    assert not nests_deeper(json.dumps([[{}]] * 1000), 3)
