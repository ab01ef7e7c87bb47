"""Names, literals and comments of TypeScript."""

import pytest

from cartrita.contract.typescript.texts import camel, comment, key, literal, literals, pascal, union


def test_names() -> None:
    assert camel("get_run_events") == "getRunEvents"
    assert pascal("get_run_events") == "GetRunEvents"
    assert key("run_id") == "run_id"
    assert key("files[0]") == "'files[0]'"


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("it's", r"'it\'s'"),
        ('say "so"', r"'say \"so\"'"),
        ("a\nb", r"'a\nb'"),
        (429, "429"),
        (True, "true"),
    ],
)
def test_literals(value: str | int, source: str) -> None:
    assert literal(value) == source
    assert literals([value, value]) == f"[{source}, {source}]"


def test_a_comment_can_not_be_ended_by_its_text() -> None:
    assert comment("Either */ or.") == "/** Either *\\/ or. */\n"
    assert comment("") == ""


def test_a_long_comment_is_wrapped_and_keeps_its_paragraphs() -> None:
    lines = comment(f"{'word ' * 40}\n\nThe end.", "  ").splitlines()
    assert (lines[0], lines[-3:]) == ("  /**", ["   *", "   * The end.", "   */"])
    assert max(map(len, lines)) <= 100


def test_a_long_union_stands_in_lines() -> None:
    assert union(["A", "B"]) == "A | B"
    assert union([letter * 30 for letter in "ABC"]).splitlines()[1] == f"  | {'A' * 30}"
