"""What a process imports is what it weighs: the parent of a server needs no driver."""

import subprocess
import sys

HEAVY = {"alembic", "asyncpg", "fastapi", "httptools", "sqlalchemy", "starlette", "uvicorn"}
SHOW = "import sys, cartrita.cli.commands.serve; print(*sys.modules)"


def test_the_parent_imports_no_driver_and_no_web_framework() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", SHOW], capture_output=True, text=True, check=True
    )
    modules = set(loaded.stdout.split())
    assert "cartrita.cli.commands.serve" in modules
    assert modules & HEAVY == set()
