"""Tools are made of functions, and check what models send."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from tests.backend.tools.contexts import context

from cartrita.domain.tools import ToolSpec
from cartrita.tools.schema import tool
from cartrita.tools.tool import Risk, ToolContext, ToolOutput


class Place(msgspec.Struct):
    """Where."""

    city: str


async def look_up(
    context: ToolContext,
    query: Annotated[str, Meta(description="The words.", min_length=1)],
    count: Annotated[int, Meta(ge=1, le=9)] = 3,
    kind: Literal["a", "b"] = "a",
    where: Place | None = None,
) -> ToolOutput:
    """Look something up."""
    return ToolOutput(f"{context.call_id} {query} {count} {kind} {where}")


TOOL = tool(look_up, risk=Risk.ACT, timeout_s=1.0, output_max_chars=10, parallel=False)


def test_the_schema_is_that_of_the_signature() -> None:
    assert isinstance(TOOL.spec, ToolSpec)
    assert (TOOL.name, TOOL.spec.description) == ("look_up", "Look something up.")
    schema: Any = TOOL.spec.parameters
    assert schema["type"] == "object"
    assert schema["required"] == ["query"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["query"] == {
        "type": "string",
        "minLength": 1,
        "description": "The words.",
    }
    assert schema["properties"]["count"]["default"] == 3
    assert schema["properties"]["kind"]["enum"] == ["a", "b"]
    assert schema["$defs"]["Place"]["required"] == ["city"]
    assert (TOOL.risk, TOOL.timeout_s, TOOL.output_max_chars, TOOL.parallel) == (
        Risk.ACT,
        1.0,
        10,
        False,
    )


async def test_right_arguments_reach_the_function() -> None:
    output = await TOOL.run(context(), {"query": "x", "where": {"city": "Bonn"}})
    assert output == ToolOutput("call_1 x 3 a Place(city='Bonn')")


async def test_wrong_arguments_are_a_result_that_says_what_is_wrong() -> None:
    wrong_ones: list[tuple[Any, str]] = [
        ({}, "query"),
        ({"query": ""}, "length >= 1"),
        ({"query": "x", "count": "3"}, r"$.count"),
        ({"query": "x", "other": 1}, "other"),
    ]
    for wrong, told in wrong_ones:
        output = await TOOL.run(context(), wrong)
        assert not output.success
        assert told in output.text
        assert TOOL.wrong(wrong) == output.text, "and whoever would be asked is not"
    assert TOOL.wrong({"query": "x"}) is None


def test_another_name() -> None:
    assert tool(look_up, name="find").name == "find"
