"""How OpenAI names the places of values, and what it says of those that are of another type."""

from collections.abc import Sequence

from tests.harness.fake_provider.openai import errors

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
"""In the order in which the vendor names them."""


class OpenAIWords:
    """See `Words`; responses name the kinds of a value in the order of the alphabet."""

    def __init__(self, *, in_order: bool = False) -> None:
        self._in_order = in_order

    def field(self, path: str, name: str) -> str:
        return f"{path}.{name}" if path else name

    def element(self, path: str, index: int) -> str:
        return f"{path}[{index}]"

    def variant(self, path: str, tag: str) -> str:
        return path

    def missing(self, path: str) -> errors.OpenAIRefusal:
        return errors.missing(path)

    def unknown(self, path: str) -> errors.OpenAIRefusal:
        return errors.unknown(path)

    def wrong_type(self, path: str, kinds: Sequence[str], value: object) -> errors.OpenAIRefusal:
        first, *others = sorted(kinds) if self._in_order else kinds
        first = "decimal" if first == "number" else first
        article = "" if first.startswith("'") else "an " if first[0] in "aio" else "a "
        if not others:
            return errors.wrong_type(path, article + first, value)
        *most, last = others
        return errors.wrong_type(
            path, f"one of {', '.join([article + first, *most])} or {last}", value
        )

    def wrong_value(
        self, path: str, value: object, supported: Sequence[str]
    ) -> errors.OpenAIRefusal:
        return errors.wrong_value(path, value, supported)

    def wrong_tag(
        self, path: str, tag: str, value: object, supported: Sequence[str]
    ) -> errors.OpenAIRefusal:
        where = self.field(path, tag)
        if not isinstance(value, str):
            return errors.wrong_type(where, f"one of {', '.join(map(repr, supported))}", value)
        if tag == "role" and set(supported) == set(_ROLES):
            supported = _ROLES
        return errors.wrong_value(where, value, supported)
