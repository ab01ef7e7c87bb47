"""Bodies are read strictly: what could not be stored, or could be read in two ways, is refused."""

import json

import pytest

from cartrita.domain.errors import InvalidInput, Malformed
from cartrita.surfaces.json_bodies import MAX_DEPTH, MAX_VALUES, parse_object


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        (b"{}", {}),
        ('{"a": "ö\U0001f600"}'.encode(), {"a": "ö\U0001f600"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a": {"x": 1, "y": 2}, "b": [{"x": 1}]}', {"a": {"x": 1, "y": 2}, "b": [{"x": 1}]}),
        (b'{"a": {"x": 1, "x": 2}}', {"a": {"x": 2}}),  # only the top could be read in two ways
    ],
)
def test_what_is_read(octets: bytes, value: object) -> None:
    assert parse_object(octets) == value


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "is not JSON"),
        (b"hello", "is not JSON"),
        (b'{"a": 1', "is not JSON"),
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"a": "\xff"}', "is not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "is not UTF-8"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": 1e400}', "1e400 is larger than any number"),
        (b'{"a": {"b": [-1e999]}}', "-1e999 is larger than any number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "number in it is too long"),
        (b'{"a": 1, "b": 2, "a": 1}', "names 'a' twice"),
        (b'{"b": {"x": 1}, "b": {}}', "names 'b' twice"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeper than 64"),
        (b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "deeper than 64"),
        (b'{"a": [' + b"1," * MAX_VALUES + b"1]}", "more than 50,000 values"),
        (b"{" + b",".join(b'"%d":1' % n for n in range(MAX_VALUES + 1)) + b"}", "more than 50,000"),
    ],
)
def test_what_is_no_body(octets: bytes, says: str) -> None:
    with pytest.raises(Malformed) as told:
        parse_object(octets)
    assert says in told.value.message


@pytest.mark.parametrize(
    ("octets", "field"),
    [
        (b'{"a": "x\\u0000y"}', "a"),
        (b'{"a": "\\ud83d"}', "a"),
        (b'{"b": 1, "a": {"deep": [1, {"\\udc00": 2}]}}', "a"),
        (b'{"a\\u0000": 1}', "a\ufffd"),
    ],
)
def test_what_no_database_holds(octets: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as told:
        parse_object(octets)
    assert list(told.value.fields) == [field]


def test_depth_up_to_the_limit_is_read() -> None:
    nested: object = 1
    for _ in range(MAX_DEPTH - 2):
        nested = [nested]
    assert parse_object(json.dumps({"a": nested}).encode()) == {"a": nested}
