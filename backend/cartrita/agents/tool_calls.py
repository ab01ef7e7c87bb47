"""Complete tool calls, assembled from streamed deltas, and those that are malformed."""

import json
from collections.abc import Collection, Iterable, Iterator
from math import isfinite
from typing import Final, NoReturn, cast

import msgspec

from cartrita.agents.agent import AgentLimits
from cartrita.domain.deltas import ToolCallDelta
from cartrita.domain.errors import UpstreamMalformed
from cartrita.domain.events import ToolCalled
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import ToolCall
from cartrita.domain.tools import LONGEST_TOOL_NAME, tool_name_of
from cartrita.kit.ids import uuid7
from cartrita.kit.json_depth import MAX_ANSWER_DEPTH, nests_deeper
from cartrita.kit.text import shortened, storable_json, storable_text

_UNREAD_CHARS: Final = 4000
_MALFORMED_STEPS: Final = 3


class _PartialCall:
    """A tool call whose deltas are still arriving."""

    __slots__ = ("arguments", "call_id", "name", "origin", "problem", "vendor")

    def __init__(self) -> None:
        self.call_id = ""
        self.name = ""
        self.arguments: list[str] = []
        self.problem: str | None = None
        self.origin: str | None = None
        self.vendor: JsonObject = {}

    def add(self, delta: ToolCallDelta) -> None:
        self.call_id = self.call_id or delta.call_id or ""
        self.name = self.name or delta.name or ""
        self.arguments.append(delta.arguments)
        self.problem = self.problem or delta.problem
        self.origin = self.origin or delta.origin
        self.vendor = self.vendor or delta.vendor


class ToolCallAssembler:
    """The tool calls of one step.

    A name that is none of those `offered` is changed to one that every vendor takes: it goes back
    to the model with the result that says so. So do arguments that are no JSON object: their call
    is `malformed`. Raises UpstreamMalformed for a call without a name, and for more calls than the
    limit.
    """

    def __init__(
        self, provider: str, limits: AgentLimits, *, offered: Collection[str] = ()
    ) -> None:
        self._provider = provider
        self._limits = limits
        self._offered = offered
        self._calls: dict[int, _PartialCall] = {}

    def add(self, delta: ToolCallDelta) -> None:
        """Add a delta to its call."""
        call = self._calls.get(delta.index)
        if call is None:
            if len(self._calls) >= self._limits.tool_calls_per_step:
                raise self._malformed(f"asked for more than {len(self._calls)} tools at once")
            call = self._calls[delta.index] = _PartialCall()
        call.add(delta)

    def complete(self) -> Iterator[ToolCalled]:
        """The calls in order; all of them are validated before the first is returned."""
        calls = [self._validated(self._calls[index]) for index in sorted(self._calls)]
        return iter(calls)

    def _validated(self, call: _PartialCall) -> ToolCalled:
        if not call.name:
            raise self._malformed("asked for a tool without saying which")
        name = call.name
        if name not in self._offered:
            name = tool_name_of(name)[:LONGEST_TOOL_NAME]
        # Some servers send no call id; the tool result needs one to refer to its call.
        call_id = call.call_id or f"call_{uuid7().hex}"
        written = "".join(call.arguments)
        arguments = _parse_arguments(written) if call.problem is None else None
        return ToolCalled(
            call_id,
            name,
            unread_arguments(written) if arguments is None else arguments,
            malformed=arguments is None,
            problem=call.problem,
            origin=call.origin,
            vendor=call.vendor,
        )

    def _malformed(self, what: str) -> UpstreamMalformed:
        return UpstreamMalformed(f"{self._provider} {what}.", provider=self._provider)


class MalformedSteps:
    """Counts the steps in a row whose calls are all malformed."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._count = 0

    def count(self, calls: Iterable[ToolCall]) -> None:
        """Count a step. Raises UpstreamMalformed for a model that was told so twice already."""
        self._count = self._count + 1 if all(call.malformed for call in calls) else 0
        if self._count == _MALFORMED_STEPS:
            raise UpstreamMalformed(
                f"{self._provider} called tools with arguments that cannot be read in "
                f"{self._count} steps in a row.",
                provider=self._provider,
            )


def unread_arguments(text: str) -> JsonObject:
    """What a call has instead of arguments that are no JSON object: their text, if long its ends.

    Some providers take no other arguments back than a JSON object. Anthropic advises this one:
    https://platform.claude.com/docs/en/agents-and-tools/tool-use/fine-grained-tool-streaming
    """
    return {"INVALID_JSON": shortened(storable_text(text), _UNREAD_CHARS)}


def _parse_arguments(text: str) -> JsonObject | None:
    """The JSON object in a text, as `storable_json`; None if it is not a JSON object."""
    if not text.strip():
        return {}
    if nests_deeper(text, MAX_ANSWER_DEPTH):
        return None
    try:
        value: object = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        value = _decode_leniently(text)
    return (
        cast("JsonObject", storable_json(cast("object", value)))
        if isinstance(value, dict)
        else None
    )


def _decode_leniently(text: str) -> object:
    """Decode JSON with lone surrogates, which msgspec rejects; None if it is invalid.

    NaN and infinite numbers make it invalid.
    """
    try:
        return json.loads(text, parse_float=_number, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _number(written: str) -> float:
    number = float(written)
    if not isfinite(number):
        raise ValueError("it is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
