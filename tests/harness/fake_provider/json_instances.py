"""JSON that fits a JSON Schema, drawn by seeded chance: for structured answers and forced calls."""

import random
from collections import deque
from collections.abc import Sequence
from typing import cast

import msgspec
from tests.harness.fake_provider.words import LEXICON

Json = dict[str, object]
_DEEPEST = 8


def draw(
    schema: Json, key: str, *, numbers: Sequence[float] = (), texts: Sequence[str] = ()
) -> str:
    """Return a document: the same for the same key. A schema that says nothing gets an object.

    The given numbers and texts are used up first.
    """
    drawing = _Drawing(schema, random.Random(key), deque(numbers), deque(texts))
    value = drawing.value(schema or {"type": "object"}, 0)
    return msgspec.json.encode(value).decode()


class _Drawing:
    def __init__(
        self, root: Json, chance: random.Random, numbers: deque[float], texts: deque[str]
    ) -> None:
        self._root = root
        self._chance = chance
        self._numbers = numbers
        self._texts = texts

    def value(self, schema: object, depth: int) -> object:
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return None
        fields = cast("Json", schema)
        if isinstance(fields.get("$ref"), str):
            return self.value(self._referred(cast("str", fields["$ref"])), depth + 1)
        if "const" in fields:
            return fields["const"]
        for name in ("enum", "anyOf", "oneOf", "allOf"):
            if options := cast("list[object]", fields.get(name)):
                return options[0] if name == "enum" else self.value(options[0], depth + 1)
        return self._typed(fields, depth)

    def _typed(self, fields: Json, depth: int) -> object:
        kind = fields.get("type")
        if isinstance(kind, list):
            kind = cast("list[object]", kind)[0]
        match kind:
            case "string":
                return self._texts.popleft() if self._texts else self._chance.choice(LEXICON)
            case "integer" | "number":
                return self._numbers.popleft() if self._numbers else self._number(fields)
            case "boolean":
                return self._chance.random() < 0.5
            case "array":
                size = max(cast("int", fields.get("minItems", 1)), 1)
                return [self.value(fields.get("items"), depth + 1) for _ in range(size)]
            case "null":
                return None
            case _:
                properties = cast("Json", fields.get("properties") or {})
                return {name: self.value(each, depth + 1) for name, each in properties.items()}

    def _number(self, fields: Json) -> int:
        low = cast("int", fields.get("minimum", 1))
        high = cast("int", fields.get("maximum", low + 99))
        return self._chance.randint(int(low), int(high))

    def _referred(self, reference: str) -> object:
        found: object = self._root
        for name in reference.removeprefix("#").strip("/").split("/"):
            found = cast("Json", found or {}).get(name) if name else found
        return found
