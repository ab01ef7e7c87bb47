"""The files that the laws look at: everything in the checkout but what git ignores."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "backend" / "cartrita"
CLIENT = ROOT / "client" / "cartrita_client"
GENERATED = CLIENT / "generated"
_IGNORED = [pattern.rstrip("/") for pattern in (ROOT / ".gitignore").read_text().split() if pattern]


def kept(path: Path) -> bool:
    """Whether git would keep a file or folder of this name."""
    return path.name != ".git" and not any(fnmatch(path.name, each) for each in _IGNORED)


def files(folder: Path, ending: str = "") -> Iterator[Path]:
    """Every file below a folder, in order."""
    for path in sorted(folder.iterdir()):
        if kept(path):
            if path.is_dir():
                yield from files(path, ending)
            elif path.name.endswith(ending):
                yield path


@cache
def parsed(path: Path) -> ast.Module:
    """A Python file as a tree."""
    return ast.parse(path.read_text(), str(path))


def name(path: Path) -> str:
    """Its place in the checkout, for messages and for the ids of cases."""
    return str(path.relative_to(ROOT))
