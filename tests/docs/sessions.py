"""The blocks of a document in one language are one session: in one shell, or one interpreter."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.docs.conftest import ScriptResult, Shell
from tests.docs.example_comparison import differences, is_printed
from tests.docs.snippets import (
    RUN,
    Block,
    alone,
    answer_after,
    blocks,
    printed_after,
    program,
)

_RESULTS: dict[tuple[Path, str], dict[Block, ScriptResult]] = {}


def run_beside(documents: Sequence[Path]) -> list[Block]:
    """The blocks of these documents that run beside their server."""
    found = [each for path in documents for each in blocks(path)]
    return [each for each in found if each.language in RUN and not alone(each)]


def result(block: Block, shell: Shell) -> ScriptResult:
    """The result of a block, in the session of its document."""
    session = block.document, interpreter(block)
    if session not in _RESULTS:
        told = [each for each in run_beside([block.document]) if interpreter(each) == session[1]]
        run = shell.run if session[1] == "bash" else shell.python
        _RESULTS[session] = dict(zip(told, run([program(each) for each in told]), strict=False))
    if block not in _RESULTS[session]:
        pytest.fail("a block before it failed")
    return _RESULTS[session][block]


def interpreter(block: Block) -> str:
    """What a block is told to."""
    return "bash" if block.language == "bash" else "python"


def assert_works(block: Block, shell: Shell) -> None:
    """The block ends well, and answers what the example after it shows."""
    done = result(block, shell)
    assert done.code == 0, done.errors + done.output
    example = answer_after(block)
    shown: Any = json.loads(example.code) if example else {}
    if isinstance(shown, dict) and "error" in shown:
        assert done.statuses[-1] >= 400
    else:
        assert all(status < 400 for status in done.statuses), done.errors + done.output
    if example:
        got = json.loads(done.output.strip().splitlines()[-1])
        assert list(differences(shown, got)) == []
        if isinstance(shown, dict):
            assert error_codes(shown) == error_codes(got)
    if text := printed_after(block):
        assert is_printed(text.code, done.output), done.output


def error_codes(answer: dict[str, Any]) -> list[object]:
    """By what programs tell an error from others, in whichever envelope."""
    inner = answer.get("error")
    of_a_vendor: dict[str, Any] = inner if isinstance(inner, dict) else {}
    own = answer.get("code") if isinstance(inner, str) else None
    return [own, of_a_vendor.get("code"), of_a_vendor.get("type")]
