"""What is asked of a model."""

from typing import Literal

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message
from cartrita.domain.tools import ToolChoice, ToolSpec


class ResponseFormat(msgspec.Struct, frozen=True, omit_defaults=True):
    """Free text, any JSON object, or JSON that fits a schema."""

    kind: Literal["text", "json", "json_schema"] = "text"
    name: str | None = None
    schema: JsonObject | None = None


class Sampling(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the model chooses its words; None leaves it to the model."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One model call. `model` is the provider's own name for it, without our prefix.

    `owner_id` says for whom it is made: a provider that searches may search this owner's data only.
    """

    owner_id: str
    model: str
    messages: tuple[Message, ...]
    instructions: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"
    sampling: Sampling = Sampling()
    response_format: ResponseFormat = ResponseFormat()
