"""Nothing on a product path is a promise, and nobody but the settings reads the environment."""

import ast
import re
from pathlib import Path

import pytest
from tests.laws.tree import PACKAGE, ROOT, files, name, parsed

PRODUCT = list(files(PACKAGE, ".py"))
_PROMISES = re.compile(
    r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b|coming soon|not (yet )?implemented", re.I
)
_READERS = {PACKAGE / "settings" / "sources.py"}
_ENVIRONMENT = {"environ", "environb", "getenv", "putenv"}


@pytest.mark.parametrize("path", [*PRODUCT, *files(ROOT / "migrations", ".py")], ids=name)
def test_it_promises_nothing(path: Path) -> None:
    assert not _PROMISES.findall(path.read_text())


@pytest.mark.parametrize("path", [p for p in PRODUCT if p not in _READERS], ids=name)
def test_it_does_not_read_the_environment(path: Path) -> None:
    assert not list(environment_readers(parsed(path)))


def environment_readers(module: ast.Module) -> list[int]:
    """The lines that reach for os.environ and its kin."""
    return [
        node.lineno
        for node in ast.walk(module)
        if (isinstance(node, ast.Attribute) and node.attr in _ENVIRONMENT)
        or (isinstance(node, ast.ImportFrom) and _ENVIRONMENT & {one.name for one in node.names})
    ]


@pytest.mark.parametrize("code", ["import os\nos.environ", "from os import getenv"])
def test_readers_are_noticed(code: str) -> None:
    assert environment_readers(ast.parse(code))
