"""Each file says in one sentence what it is for, is short, and bears the name of a noun."""

import ast
import re
from pathlib import Path

import pytest
from tests.laws.tree import CLIENT, GENERATED, PACKAGE, ROOT, files, name, parsed

_LONGEST = 320
_LONGEST_TEST = 600
_NO_NOUNS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "handler", "misc"}
_WRITTEN = [path for path in files(CLIENT, ".py") if GENERATED not in path.parents]
PRODUCT = [*files(PACKAGE, ".py"), *_WRITTEN]
EVERY = [*PRODUCT, *files(ROOT / "migrations", ".py"), *files(ROOT / "tests", ".py")]

_CLIENT = ROOT / "frontend-contract" / "src"
TYPESCRIPT = [each for each in files(_CLIENT, ".ts") if each.parent.name != "generated"]


def opening(module: ast.Module) -> str:
    """The first paragraph of a module's docstring, as one line."""
    return " ".join((ast.get_docstring(module) or "").split("\n\n")[0].split())


def opening_comment(text: str) -> str:
    """The first paragraph of the comment with which a TypeScript file begins, as one line."""
    found = re.match(r"/\*\*(.*?)\*/", text, re.DOTALL)
    lines = found[1].splitlines() if found else []
    paragraph = "\n".join(line.strip().removeprefix("*").strip() for line in lines).strip()
    return " ".join(paragraph.split("\n\n")[0].split())


def is_sentence(text: str) -> bool:
    """One sentence and no more; `e.g.` and file names do not end one."""
    return text.endswith((".", "?", ":", "`.")) and ". " not in text.replace("e.g. ", "")


def test_each_opens_with_one_sentence() -> None:
    openings = {name(path): opening(parsed(path)) for path in EVERY}
    assert {path: text for path, text in openings.items() if not is_sentence(text)} == {}


def test_each_of_the_typescript_client_does_too() -> None:
    openings = {name(path): opening_comment(path.read_text()) for path in TYPESCRIPT}
    assert len(openings) > 10
    assert {path: text for path, text in openings.items() if not is_sentence(text)} == {}


@pytest.mark.parametrize("text", ["", "No full stop", "Two things. One more."])
def test_what_is_no_sentence(text: str) -> None:
    assert not is_sentence(text)


@pytest.mark.parametrize(
    ("paths", "longest"), [(PRODUCT, _LONGEST), (TYPESCRIPT, _LONGEST), (EVERY, _LONGEST_TEST)]
)
def test_each_is_short(paths: list[Path], longest: int) -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in paths}
    long = {path: lines for path, lines in lengths.items() if lines > longest}
    assert long == {}, "look for the seam"


def test_its_name_says_something() -> None:
    names = {path.stem for path in EVERY} | {path.parent.name for path in EVERY}
    assert not names & _NO_NOUNS
