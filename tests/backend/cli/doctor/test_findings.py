"""One line for each finding, and JSON for programs."""

import asyncio
import json

from cartrita.cli.doctor.findings import (
    any_problem,
    in_time,
    json_of,
    ok,
    problem,
    text_of,
    warning,
)

ALL = [
    ok("disk", "There is room."),
    warning("x", "It is\nold.", "Renew it."),
    problem("y", "No.", ""),
]


def test_each_is_one_line() -> None:
    assert text_of(ALL).splitlines() == [
        "ok       disk: There is room.",
        "warning  x: It is old. Renew it.",
        "problem  y: No.",
    ]


def test_programs_get_json() -> None:
    told = json.loads(json_of(ALL))
    assert told["ok"] is False
    assert told["findings"][1] == {
        "name": "x",
        "status": "warning",
        "detail": "It is\nold.",
        "fix": "Renew it.",
    }
    assert json.loads(json_of(ALL[:2]))["ok"] is True


def test_a_warning_is_no_problem() -> None:
    assert not any_problem(ALL[:2])
    assert any_problem(ALL)


async def test_what_takes_too_long_is_a_problem_by_itself() -> None:
    async def endless() -> list[object]:
        await asyncio.Event().wait()
        return []

    (found,) = await in_time("slow", 0.01, endless())  # pyright: ignore[reportArgumentType]
    assert (found.name, found.status) == ("slow", "problem")
