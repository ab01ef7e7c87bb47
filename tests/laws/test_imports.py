"""What a module imports: the parent of a server needs no driver, and private names stay at home."""

import ast
import subprocess
import sys

from tests.laws.tree import PACKAGE, files, name, parsed

HEAVY = {"alembic", "asyncpg", "fastapi", "httptools", "sqlalchemy", "starlette", "uvicorn"}
SHOW = "import sys, cartrita.cli.commands.serve; print(*sys.modules)"


def test_the_parent_imports_no_driver_and_no_web_framework() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", SHOW], capture_output=True, text=True, check=True
    )
    modules = set(loaded.stdout.split())
    assert "cartrita.cli.commands.serve" in modules
    assert modules & HEAVY == set()


def test_what_a_module_keeps_private_no_other_imports() -> None:
    taken = [
        f"{name(path)}: {one.name}"
        for path in files(PACKAGE, ".py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cartrita")
        for one in node.names
        if one.name.startswith("_") and not one.name.endswith("__")
    ]
    assert taken == []
