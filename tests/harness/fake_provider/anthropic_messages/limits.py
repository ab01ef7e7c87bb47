"""What Anthropic's types do not say of a value: its bounds, which its reference describes.

The type of a value has been checked before; null has no bounds.
"""

import re
from typing import Any

from tests.harness.fake_provider.anthropic_messages import errors
from tests.harness.fake_provider.shape_checks import Rule

ID = "[a-zA-Z0-9_-]+"


def text(*, shortest: int = 0, longest: int | None = None, pattern: str | None = None) -> Rule:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            return
        if len(value) < shortest:
            raise errors.at(path, f"String should have at least {shortest} character")
        if longest is not None and len(value) > longest:
            raise errors.at(path, f"String should have at most {longest} characters")
        if pattern is not None and not re.fullmatch(pattern, value):
            raise errors.at(path, f"String should match pattern '^{pattern}$'")

    return check


def number(low: int, high: int | None = None) -> Rule:
    def check(value: Any, path: str) -> None:
        if value is not None and value < low:
            raise errors.wrong_type(path, f"greater than or equal to {low}")
        if value is not None and high is not None and value > high:
            raise errors.wrong_type(path, f"less than or equal to {high}")

    return check
