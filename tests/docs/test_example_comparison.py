"""The comparison of examples with answers notices what it should."""

from typing import Any

import pytest
from tests.docs.example_comparison import differences, is_printed


@pytest.mark.parametrize(
    ("shown", "got"),
    [
        ({"a": "x..."}, {"a": "anything", "b": 1}),
        ({"a": None}, {"a": 3}),
        ({"a": [{"b": 1}]}, {"a": []}),
        ({"seconds": 1}, {"seconds": 1.5}),
    ],
)
def test_what_is_alike(shown: Any, got: Any) -> None:
    assert list(differences(shown, got)) == []


@pytest.mark.parametrize(
    ("shown", "got"),
    [
        ({"a": 1}, {}),
        ({"a": {"b": 1}}, {"a": {"c": 1}}),
        ({"a": "1"}, {"a": 1}),
        ({"a": True}, {"a": 1}),
        ([{"a": 1}], {"a": 1}),
        ({"a": [{"b": 1}]}, {"a": [{"c": 1}]}),
    ],
)
def test_what_is_not(shown: Any, got: Any) -> None:
    assert list(differences(shown, got)) != []


@pytest.mark.parametrize(
    ("shown", "got"),
    [
        ("one\ntwo\n", "one\ntwo\n"),
        ("one ... three\n", "one two three\n"),
        ("one\n...\nfour\n", "one\ntwo\nthree\nfour\n"),
        ("...\nlast\n", "last\n"),
        ("  one\n", "one\n"),
    ],
)
def test_what_is_printed(shown: str, got: str) -> None:
    assert is_printed(shown, got)


@pytest.mark.parametrize(
    ("shown", "got"),
    [
        ("one\n", "one\ntwo\n"),
        ("one\ntwo\n", "one\n"),
        ("one ... three\n", "one two\n"),
        ("one.two\n", "one-two\n"),
        ("one ... four\n", "one two\nthree four\n"),
    ],
)
def test_what_is_not_printed(shown: str, got: str) -> None:
    assert not is_printed(shown, got)
