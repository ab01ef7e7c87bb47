"""How Anthropic names the places of values, and what it says of those that are of another type."""

from collections.abc import Sequence

from tests.harness.fake_provider.anthropic_messages import errors

_KINDS = {
    "string": "a valid string",
    "integer": "a valid integer",
    "number": "a valid number",
    "boolean": "a valid boolean",
    "object": "an object",
}


class AnthropicWords:
    """See `Words`. Of what may be text or a list, it says that it is no list."""

    def field(self, path: str, name: str) -> str:
        return f"{path}.{name}" if path else name

    def element(self, path: str, index: int) -> str:
        return f"{path}.{index}"

    def variant(self, path: str, tag: str) -> str:
        return f"{path}.{tag}"

    def missing(self, path: str) -> errors.AnthropicRefusal:
        return errors.missing(path)

    def unknown(self, path: str) -> errors.AnthropicRefusal:
        return errors.extra(path)

    def wrong_type(self, path: str, kinds: Sequence[str], value: object) -> errors.AnthropicRefusal:
        quoted = [kind for kind in kinds if kind.startswith("'")]
        if len(quoted) == len(kinds):
            return errors.wrong_type(path, _listed(quoted))
        last = kinds[-1]
        return errors.wrong_type(path, "a valid list" if "array" in last else _KINDS[last])

    def wrong_value(
        self, path: str, value: object, supported: Sequence[str]
    ) -> errors.AnthropicRefusal:
        return errors.wrong_type(path, _listed([f"'{each}'" for each in supported]))

    def wrong_tag(
        self, path: str, tag: str, value: object, supported: Sequence[str]
    ) -> errors.AnthropicRefusal:
        if tag != "type":
            return self.wrong_value(self.field(path, tag), value, supported)
        listed = ", ".join(f"'{each}'" for each in supported)
        return errors.at(
            path,
            f"Input tag '{value}' found using 'type' does not match any of the expected tags: "
            f"{listed}",
        )


def _listed(quoted: Sequence[str]) -> str:
    *most, last = quoted
    return f"{', '.join(most)} or {last}" if most else last
