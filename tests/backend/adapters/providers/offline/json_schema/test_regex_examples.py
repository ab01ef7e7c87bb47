"""Texts match the patterns that they were made for; no pattern takes long."""

import re

import pytest

from cartrita.adapters.providers.offline.json_schema.regex_examples import generate_match


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[a-z]{3}\d{2,4}$",
        r"^(foo|bar)+$",
        r"^\+?[1-9]\d{1,14}$",
        r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
        r"^(?:[A-Z]{2}-)?\d+$",
        r"^#[0-9a-fA-F]{6}$",
        r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$",
        r"^[]a]+x$",
        r"^\u0041\x42\uz$".replace(r"\uz", ""),
        r"^(?=a)abc$",
        r"^(?!b)abc$",
        r"^[\w.-]+?$",
        r"^.{8,}$",
        r"a{,3}",
        r"a{2",
        r"^[^-]$",
        r"^[^\da-z]$",
        r"^(?P<n>z)$",
        r"^\D\W\S\s\t\.$",
        r"^[\x41-\x43]$",
        r"^(a|b|c)(d|)$",
        "",
    ],
)
@pytest.mark.parametrize("extra", [0, 2])
def test_a_text_matches(pattern: str, extra: int) -> None:
    assert re.search(pattern, generate_match(pattern, extra))


def test_a_name_in_the_other_notation() -> None:
    assert generate_match(r"^(?<year>\d{4})$") == "0000"


@pytest.mark.parametrize(
    "pattern", ["(", "[", "\\", "a|", "(?", "(?<", "(?P<n", "[a-", "[^", r"\u12", r"\1", "*", "{2}"]
)
def test_half_a_pattern_is_no_trouble(pattern: str) -> None:
    assert isinstance(generate_match(pattern), str)


def test_extra_repetitions_make_it_longer() -> None:
    assert generate_match("^a+$", 9) == "a" * 10
    assert generate_match("^a{2,4}$", 9) == "aaaa"


@pytest.mark.parametrize(
    "pattern", ["((a{4000}){4000}){4000}", "a{99999999999999999999}", "(" * 99]
)
def test_a_bomb_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        generate_match(pattern)
