"""Tasks have owners, however they are made: ruff bans one spelling, this the others."""

import ast

from tests.laws.tree import CLIENT, PACKAGE, files, name, parsed

_CONTEXTS = {
    "backend/cartrita/surfaces/disconnects.py",
    "backend/cartrita/surfaces/v1/heartbeats.py",
}
"""Contexts of one task each, which they cancel and await: a group for each would cost too much."""


def _makes_task(node: ast.AST) -> bool:
    """Whether a loop is asked for a task, or one is made from its class."""
    if not isinstance(node, ast.Attribute):
        return False
    owner = ast.unparse(node.value)
    if node.attr == "create_task":
        return owner.removesuffix("()").endswith("loop")
    return node.attr in ("ensure_future", "run_coroutine_threadsafe", "gather") and (
        owner == "asyncio"
    )


def _found(source: ast.AST) -> bool:
    return any(map(_makes_task, ast.walk(source)))


def test_no_loop_is_asked_for_a_task() -> None:
    every = [*files(PACKAGE, ".py"), *files(CLIENT, ".py")]
    found = {name(path) for path in every if _found(parsed(path))}
    assert found == _CONTEXTS


def test_each_spelling_is_found() -> None:
    for spelling in (
        "asyncio.get_running_loop().create_task(work())",
        "asyncio.get_event_loop().create_task(work())",
        "self._loop.create_task(work())",
        "make = loop.create_task",
        "asyncio.gather(work())",
    ):
        assert _found(ast.parse(spelling)), spelling
    for owned in ("tasks.create_task(work())", "self._group.create_task(work())"):
        assert not _found(ast.parse(owned)), owned
