"""What a vendor's SDK can send is parsed: each field alone, in each form that its type has.

Refused is only what breaks a rule that types do not tell.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec
import pytest
from tests.harness.request_shapes import FOLDER

from cartrita.dialects.anthropic_messages import request_parsing as anthropic_messages
from cartrita.dialects.openai_chat import request_parsing as openai_chat
from cartrita.dialects.openai_responses import request_parsing as openai_responses
from cartrita.domain.errors import InvalidInput

SAMPLES: dict[str, Any] = {
    "string": "a",
    "integer": 20,
    "number": 0.5,
    "boolean": True,
    "null": None,
    "any": 1,
}
ANY_OBJECT = {"type": "object", "properties": {}}
DEEPEST, MOST = 5, 12
Parse = Callable[[Any, str], object]
RULES = {
    "openai_chat": (
        *("Expected a valid URL", "Expected base64-encoded audio", "data URL", "got null"),
        *("must be a response to", "file.file_id'", "is only allowed when", "'logprobs' must be"),
    ),
    "openai_responses": (
        *("Expected a valid URL", "data URL", "with a JSON object", "No tool", "Tool choice"),
        *("image_url'.", "file_data'.", "call_id'."),
    ),
    "anthropic_messages": (
        *("must use the", 'role "system"', "equal to 1024", "while providing tools"),
        *("can only have `text`", "is neither an object nor a boolean"),
    ),
}
"""Parts of what is said of requests that break one."""


class Samples:
    """Values of the types in one file: the least of each, and with each of its other fields."""

    def __init__(self, name: str) -> None:
        self._types = msgspec.json.decode((FOLDER / f"{name}.json").read_bytes())

    def fields(self, name: str) -> dict[str, Any]:
        return self._types[name]["fields"]

    def of(self, shape: Any, depth: int = 0) -> Iterator[Any]:
        if isinstance(shape, str):
            yield SAMPLES[shape]
        elif "ref" in shape:
            if depth <= DEEPEST:
                yield from self._objects(self._types[shape["ref"]], depth + 1)
        elif "table" in shape:
            inside = shape["table"]
            yield ANY_OBJECT if inside == "any" else {"1": next(self.of(inside, depth + 1))}
        else:
            yield from self._others(shape, depth)

    def _others(self, shape: dict[str, Any], depth: int) -> Iterator[Any]:
        if "array" in shape:
            for each in _alternatives(shape["array"]):
                yield from ([one] for one in islice(self.of(each, depth + 1), 2 * MOST))
        for each in shape.get("any_of", ()):
            yield from self.of(each, depth)
        yield from shape.get("enum", ())

    def _objects(self, type_: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
        least = {
            name: next(self.of(type_["fields"][name], depth), None) for name in type_["required"]
        }
        yield least
        for name, shape in type_["fields"].items():
            yield from ({**least, name: one} for one in islice(self.of(shape, depth), MOST))


def _alternatives(shape: Any) -> list[Any]:
    return shape["any_of"] if isinstance(shape, dict) and "any_of" in shape else [shape]


@pytest.mark.parametrize(
    ("dialect", "request_type", "parse", "least"),
    [
        (
            "openai_chat",
            "CompletionCreateParamsNonStreaming",
            openai_chat.parse,
            {"messages": [{"role": "user", "content": "json"}], "stream": True},
        ),
        (
            "openai_responses",
            "ResponseCreateParamsNonStreaming",
            openai_responses.parse,
            {"input": "a"},
        ),
        (
            "anthropic_messages",
            "MessageCreateParamsNonStreaming",
            anthropic_messages.parse,
            {"max_tokens": 9, "messages": [{"role": "user", "content": "a"}]},
        ),
    ],
)
def test_every_form_of_every_field(
    dialect: str, request_type: str, parse: Parse, least: dict[str, Any]
) -> None:
    samples = Samples(dialect)
    refused: dict[str, Any] = {}
    tried = 0
    for name, shape in samples.fields(request_type).items():
        for value in samples.of(shape):
            tried += 1
            try:
                parse({"model": "m", **least, name: value}, "owner")
            except InvalidInput as error:
                if not any(rule in error.message for rule in RULES[dialect]):
                    refused[error.message] = value
    assert refused == {}
    assert tried > 200
