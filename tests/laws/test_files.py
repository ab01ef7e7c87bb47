"""Each file says in one sentence what it is for, is short, and bears the name of a noun."""

import ast
from pathlib import Path

import pytest
from tests.laws.tree import PACKAGE, ROOT, files, name, parsed

_LONGEST = 320
_LONGEST_TEST = 600
_NO_NOUNS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "handler", "misc"}
PRODUCT = list(files(PACKAGE, ".py"))
EVERY = [*PRODUCT, *files(ROOT / "migrations", ".py"), *files(ROOT / "tests", ".py")]


def opening(module: ast.Module) -> str:
    """The first paragraph of a module's docstring, as one line."""
    return " ".join((ast.get_docstring(module) or "").split("\n\n")[0].split())


def is_sentence(text: str) -> bool:
    """One sentence and no more; `e.g.` and file names do not end one."""
    return text.endswith((".", "?", ":", "`.")) and ". " not in text.replace("e.g. ", "")


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_it_opens_with_one_sentence(path: Path) -> None:
    assert is_sentence(opening(parsed(path))), opening(parsed(path))


@pytest.mark.parametrize("text", ["", "No full stop", "Two things. One more."])
def test_what_is_no_sentence(text: str) -> None:
    assert not is_sentence(text)


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_it_is_short(path: Path) -> None:
    longest = _LONGEST if path in PRODUCT else _LONGEST_TEST
    assert len(path.read_text().splitlines()) <= longest, "look for the seam"


def test_its_name_says_something() -> None:
    names = {path.stem for path in EVERY} | {path.parent.name for path in EVERY}
    assert not names & _NO_NOUNS
