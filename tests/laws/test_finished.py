"""Nothing on a product path is a promise, and nobody but the settings reads the environment."""

import ast
import re

import pytest
from tests.laws.tree import CLIENT, PACKAGE, ROOT, files, name, parsed

PRODUCT = [*files(PACKAGE, ".py"), *files(CLIENT, ".py")]
_PROMISES = re.compile(
    r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b|coming soon|not (yet )?implemented", re.I
)
_READERS = {PACKAGE / "settings" / "sources.py", CLIENT / "cli" / "environment.py"}
_ENVIRONMENT = {"environ", "environb", "getenv", "putenv"}


def test_nothing_is_promised() -> None:
    every = [*PRODUCT, *files(ROOT / "migrations", ".py")]
    promises = {name(path): _PROMISES.findall(path.read_text()) for path in every}
    assert {path: words for path, words in promises.items() if words} == {}


def test_the_environment_is_not_read() -> None:
    lines = {name(path): environment_readers(parsed(path)) for path in set(PRODUCT) - _READERS}
    assert {path: found for path, found in lines.items() if found} == {}


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
