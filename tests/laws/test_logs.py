"""Log lines are a snake_case event with keys: never a sentence, never formatted text."""

import ast
import re

import pytest
from tests.laws.tree import PACKAGE, files, name, parsed

_LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
_EVENT = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def odd_lines(module: ast.Module) -> list[int]:
    """The lines that log anything but a literal event name with keys.

    The event of `RepeatedFailures` is a literal where one is made.
    """
    return [
        call.lineno
        for call in ast.walk(module)
        if isinstance(call, ast.Call) and _takes_event(call.func) and not _is_event(call.args)
    ]


def _takes_event(called: ast.expr) -> bool:
    match called:
        case ast.Attribute(value=ast.Name(id="log" | "logger" | "_log"), attr=attr):
            return attr in _LEVELS
        case ast.Name(id="RepeatedFailures"):
            return True
        case _:
            return False


def _is_event(arguments: list[ast.expr]) -> bool:
    match arguments:
        case [ast.Constant(value=str(event))]:
            return bool(_EVENT.fullmatch(event))
        case [ast.Attribute(value=ast.Name(id="self"), attr="_event")]:
            return True
        case _:
            return False


def test_events_are_named() -> None:
    lines = {name(path): odd_lines(parsed(path)) for path in files(PACKAGE, ".py")}
    assert {path: found for path, found in lines.items() if found} == {}


@pytest.mark.parametrize(
    "code",
    [
        "log.info(f'{x}')",
        "log.info('Run failed')",
        "log.info('run_failed', x)",
        "RepeatedFailures(x)",
    ],
)
def test_odd_lines_are_noticed(code: str) -> None:
    assert odd_lines(ast.parse(code))


def test_each_module_says_its_name() -> None:
    """Else its level could not be set, nor seen where a line comes from."""
    unnamed = [name(path) for path in files(PACKAGE, ".py") if "get_logger()" in path.read_text()]
    assert unnamed == [], "write structlog.get_logger(__name__)"
