"""Of a list of tools so many are looked at, and it is told once what is left out."""

from typing import Any

import pytest
import structlog

from cartrita.adapters.mcp.screened_tools import screen_tools

PLAIN = {"type": "object", "properties": {}}


def test_what_is_left_out_is_told_once_with_how_many() -> None:
    bad: list[Any] = [{"name": f"bad{number}"} for number in range(300)]
    result: dict[str, Any] = {"tools": [{"name": "plain", "inputSchema": PLAIN}, 1, *bad]}
    with structlog.testing.capture_logs() as logged:
        screen_tools(result, "garden")
    assert [tool["name"] for tool in result["tools"]] == ["plain"]
    (line,) = logged
    assert (line["event"], line["server"], line["count"]) == ("served_tool_left_out", "garden", 301)
    assert line["first"][:2] == [
        "(no name): it is no object",
        "bad0: its schema is none of an object",
    ]
    assert len(line["first"]) == 10


@pytest.mark.parametrize("definition", [1, {"name": "plain", "inputSchema": PLAIN}])
def test_of_very_many_the_first_thousand_are_looked_at(definition: object) -> None:
    result: dict[str, Any] = {"tools": [definition] * 300_000}
    with structlog.testing.capture_logs() as logged:
        screen_tools(result, "garden")
    assert len(result["tools"]) <= 1000
    (line,) = logged
    looked_at = len(result["tools"]) + len(line["first"])
    assert looked_at <= 1010
    assert line["count"] == 300_000 - len(result["tools"])
