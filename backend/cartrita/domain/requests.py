"""Model requests, independent of any provider."""

from typing import Literal

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message
from cartrita.domain.tools import ToolChoice, ToolSpec


class ResponseFormat(msgspec.Struct, frozen=True, omit_defaults=True):
    """The format of the answer: free text, any JSON object, or JSON that matches a schema."""

    kind: Literal["text", "json", "json_schema"] = "text"
    name: str | None = None
    schema: JsonObject | None = None


class Sampling(msgspec.Struct, frozen=True, omit_defaults=True):
    """Sampling parameters; None uses the model's default."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One model call. `model` is the provider's name for it, without the `provider/` prefix.

    `owner_id` is the owner of the run: a provider may search the data of this owner only.
    """

    owner_id: str
    model: str
    messages: tuple[Message, ...]
    instructions: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"
    sampling: Sampling = Sampling()
    response_format: ResponseFormat = ResponseFormat()
