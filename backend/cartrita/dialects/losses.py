"""Collects what the rendering of a request cannot carry over into a dialect, as receipts."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, Literal, ParamSpec

import msgspec

from cartrita.domain.errors import InvalidInput
from cartrita.domain.messages import Attachment, Part
from cartrita.domain.receipts import Receipt
from cartrita.domain.requests import ModelRequest
from cartrita.domain.tools import Tool, ToolSpec
from cartrita.kit.text import shortened

_LONGEST = 500
"""In characters, of the name of a field and of a reason: both may quote what callers sent."""
NATIVE = "native"
"""The source of requests that came in no dialect."""

FIELDS: dict[str, dict[str, str]] = {
    "openai_chat": {
        "instructions": "messages",
        "max_tokens": "max_completion_tokens",
        "reasoning": "reasoning_effort",
        "attachments": "messages",
    },
    "openai_responses": {
        "max_tokens": "max_output_tokens",
        "messages": "input",
        "attachments": "input",
        "response_format": "text.format",
        "reasoning": "reasoning",
    },
    "anthropic_messages": {
        "instructions": "system",
        "stop": "stop_sequences",
        "reasoning": "thinking",
        "response_format": "output_config.format",
        "user": "metadata.user_id",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "attachments": "messages",
    },
}
"""By dialect: its own names for the fields of a request whose name is not ours."""

_OURS: Final = {
    "input": "messages",
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "messages": "messages",
    "model": "model",
    "reasoning": "reasoning",
    "reasoning_effort": "reasoning",
    "response_format": "response_format",
    "stop": "stop",
    "temperature": "temperature",
    "text": "response_format",
    "tool_choice": "tool_choice",
    "tools": "tools",
    "top_p": "top_p",
}
"""Our names for fields that providers refuse by name, in any dialect."""
P = ParamSpec("P")


def field_name(field: str, dialect: str) -> str:
    """The name in a dialect of a field of ours; what follows the first dot or bracket is kept."""
    end = min((at for at in (field.find("."), field.find("[")) if at >= 0), default=len(field))
    return FIELDS.get(dialect, {}).get(field[:end], field[:end]) + field[end:]


def callers_field(param: str, dialect: str) -> str | None:
    """What a caller in this dialect calls the field that a provider of another refused.

    None where nothing that the caller sent is known to be meant.
    """
    ours = _OURS.get(re.split(r"[.\[]", param, maxsplit=1)[0])
    return None if ours is None else field_name(ours, dialect)


class UnsendableFile(InvalidInput):
    """A file that a provider does not take; `part` says where its caller sent it."""

    def __init__(self, part: Attachment, why: str) -> None:
        problem = f"{part.name or part.media_type} cannot be sent: {why}"
        fields = {"attachments": [problem]}
        super().__init__(f"attachments: {problem}", fields=fields, code="unsupported_value")
        self.part = part


def in_callers_words(
    render: "Callable[Concatenate[ModelRequest, P], Rendered]",
) -> "Callable[Concatenate[ModelRequest, P], Rendered]":
    """A rendering of requests whose refusals, which name fields of ours, name the caller's."""

    @wraps(render)
    def rendered(request: ModelRequest, *args: P.args, **kwargs: P.kwargs) -> Rendered:
        try:
            return render(request, *args, **kwargs)
        except InvalidInput as error:
            message, fields = error.message, dict[str, list[str]]()
            found = request.places.find(error.part) if isinstance(error, UnsendableFile) else None
            for field, problems in error.fields.items():
                name = found.content if found else field_name(field, request.origin or NATIVE)
                message = message.replace(f"{field}: ", f"{name}: ", 1)
                fields[name] = fields.get(name, []) + problems
            raise InvalidInput(message, fields=fields, code=error.code) from None

    return rendered


class Rendered(msgspec.Struct, frozen=True):
    """A request in a dialect, and what it lost on the way there."""

    body: bytes
    receipts: tuple[Receipt, ...] = ()


class Losses:
    """The losses of one request on its way to the dialect `target`.

    Fields are named as `ModelRequest` and `Sampling` name them, and told in the words of the
    dialect that the request came in; what follows the first dot or bracket is kept. A request that
    is strict, and so refused for them, gets the place of the `part` that is meant, or of the field
    `name` of it.
    """

    def __init__(self, request: ModelRequest, target: str) -> None:
        self._places = request.places if request.strict else None
        self._source = request.origin or NATIVE
        self._target = target
        self._receipts: dict[tuple[str, str], Receipt] = {}

    def dropped(
        self, field: str, why: str, part: Part | Tool | None = None, name: str = ""
    ) -> None:
        """The field has no effect."""
        self._add(field, "dropped", why, self._path(part, name))

    def approximated(
        self, field: str, why: str, part: Part | Tool | None = None, name: str = ""
    ) -> None:
        """The field has another effect than it would have had, as near as the target can."""
        self._add(field, "approximated", why, self._path(part, name))

    def dropped_tool_fields(self, tool: ToolSpec) -> None:
        """The fields of a tool that only another dialect has."""
        for field in tool.more:
            self.dropped(f"tools.{field}", "The target has no such field of a tool.", tool, field)

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """All losses so far; the same one is told once."""
        return tuple(self._receipts.values())

    def _path(self, part: Part | Tool | None, name: str) -> str | None:
        found = None if self._places is None or part is None else self._places.find(part)
        if found is None:
            return None
        return f"{found.path}.{name}" if name else found.path

    def _add(
        self, field: str, kind: Literal["approximated", "dropped"], why: str, path: str | None
    ) -> None:
        name = shortened(path or field_name(field, self._source), _LONGEST)
        receipt = Receipt(name, self._source, self._target, kind, shortened(why, _LONGEST))
        self._receipts.setdefault((name, receipt.why), receipt)
