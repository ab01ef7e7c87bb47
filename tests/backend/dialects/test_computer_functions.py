"""A desktop as a plain function."""

import re
from typing import get_args

import pytest

from cartrita.dialects.computer_functions import function_of, with_functions
from cartrita.dialects.function_schemas import find_problem
from cartrita.domain.desktop import Action
from cartrita.domain.tools import ComputerTool, ToolSpec, VendorTool

SCREEN = ComputerTool(1280, 800)


def _kinds(spec: ToolSpec) -> list[str]:
    return re.findall(r"'enum': (\[.*?\])", str(spec.parameters))[0][2:-2].split("', '")


def test_the_function_has_every_action() -> None:
    spec = function_of(SCREEN)
    known = {one.__struct_config__.tag for one in get_args(Action)}
    assert set(_kinds(spec)) == known
    assert find_problem(spec.parameters) is None
    assert "1280 wide and 800 high" in spec.description


def test_what_cannot_be_done_is_not_offered() -> None:
    spec = function_of(ComputerTool(1280, 800, zoom=False))
    assert "zoom" not in _kinds(spec)
    assert "area" not in str(spec.parameters)


def test_a_grid_is_told_instead_of_pixels() -> None:
    description = function_of(ComputerTool(1280, 800, grid=1000)).description
    assert "from 0 to 1000" in description
    assert "1280" not in description


@pytest.mark.parametrize("other", [ToolSpec("a", "b", {}), VendorTool("openai_chat", "c", {})])
def test_other_tools_stay_as_they_are(other: ToolSpec | VendorTool) -> None:
    assert list(with_functions((other, SCREEN))) == [other, function_of(SCREEN)]
