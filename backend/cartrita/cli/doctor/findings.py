"""What an examination found: one line for each thing that was looked at."""

import asyncio
import json
from collections.abc import Awaitable, Iterable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

Status: TypeAlias = Literal["ok", "warning", "problem"]

_WIDTH: Final = 8


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """`detail` says in a sentence what was found, and `fix` in another what to do about it."""

    name: str
    status: Status
    detail: str
    fix: str = ""

    @property
    def line(self) -> str:
        """All of it on one line."""
        text = " ".join(f"{self.detail} {self.fix}".split())
        return f"{self.status:{_WIDTH}} {self.name}: {text}"


def ok(name: str, detail: str) -> Finding:
    """It is as it should be."""
    return Finding(name, "ok", detail)


def warning(name: str, detail: str, fix: str) -> Finding:
    """It works, and could be better."""
    return Finding(name, "warning", detail, fix)


def problem(name: str, detail: str, fix: str) -> Finding:
    """It does not work."""
    return Finding(name, "problem", detail, fix)


def text_of(findings: Iterable[Finding]) -> str:
    """The findings for people."""
    return "\n".join(finding.line for finding in findings)


def json_of(findings: Sequence[Finding]) -> str:
    """The findings for programs: `ok` is whether there is no problem."""
    told = [{"fix": "", **msgspec.to_builtins(finding)} for finding in findings]
    return json.dumps({"ok": not any_problem(findings), "findings": told}, indent=2)


def any_problem(findings: Iterable[Finding]) -> bool:
    """Whether something does not work."""
    return any(finding.status == "problem" for finding in findings)


async def in_time(name: str, seconds: float, work: Awaitable[Sequence[Finding]]) -> list[Finding]:
    """What the work finds; that it takes too long is a finding too."""
    try:
        async with asyncio.timeout(seconds):
            return list(await work)
    except TimeoutError:
        fix = "See what holds it up, or give it longer with --timeout."
        return [problem(name, f"It did not answer within {seconds:g} s.", fix)]
