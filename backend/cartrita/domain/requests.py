"""Model requests, independent of any provider."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, Text
from cartrita.domain.places import Places
from cartrita.domain.tools import ComputerTool, Tool, ToolChoice, ToolSpec


class ResponseFormat(msgspec.Struct, frozen=True, omit_defaults=True):
    """The format of the answer: free text, any JSON object, or JSON that matches a schema."""

    kind: Literal["text", "json", "json_schema"] = "text"
    name: str | None = None
    schema: JsonObject | None = None
    description: str | None = None
    strict: bool | None = None


class Sampling(msgspec.Struct, frozen=True, omit_defaults=True):
    """Sampling parameters; None uses the model's default.

    `logprobs` asks for the log probabilities of so many alternatives to each token; 0 asks for
    those of the tokens alone.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: Mapping[str, float] | None = None
    logprobs: int | None = None


class ReasoningOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much the model reasons before it answers; None leaves it to the model.

    `effort` is one of OpenAI's words (`none`, `minimal`, `low`, ...), `budget_tokens` a number of
    tokens; dialects convert the one to the other. `mode` is the dialect's own switch, such as
    `adaptive` or `disabled`. `summary` asks for a summary of it, `encrypted` for reasoning that can
    be sent back.
    """

    effort: str | None = None
    budget_tokens: int | None = None
    mode: str | None = None
    summary: str | None = None
    encrypted: bool = False


class VendorFields(msgspec.Struct, frozen=True):
    """Fields of a request that only its `origin`, a dialect, understands, as they came."""

    origin: str
    fields: JsonObject


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One model call. `model` is the provider's name for it, without the `provider/` prefix.

    `owner_id` is the owner of the run: a provider may search the data of this owner only. `user`
    is the caller's own name for the person who asks, `origin` the dialect that the request came in,
    if it came in one. `strict` refuses what cannot be translated exactly. `places` tells where in
    the caller's JSON its parts are.
    """

    owner_id: str
    model: str
    messages: tuple[Message, ...]
    instructions: tuple[Text, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool | None = None
    sampling: Sampling = Sampling()
    response_format: ResponseFormat = ResponseFormat()
    reasoning: ReasoningOptions = ReasoningOptions()
    user: str | None = None
    origin: str | None = None
    vendor: VendorFields | None = None
    strict: bool = False
    places: Places = msgspec.field(default_factory=Places)

    @property
    def instructions_text(self) -> str:
        """The instructions as one text, their parts on paragraphs of their own."""
        return "\n\n".join(part.text for part in self.instructions)

    @property
    def size(self) -> int:
        """How long it takes to work through its messages, as bytes of JSON with short texts."""
        return 100 * sum(len(message.parts) for message in self.messages)

    @property
    def functions(self) -> tuple[ToolSpec, ...]:
        """The tools that any model may call."""
        return tuple(tool for tool in self.tools if isinstance(tool, ToolSpec))

    @property
    def computer(self) -> ComputerTool | None:
        """The desktop that the model may use, if there is one."""
        return next((tool for tool in self.tools if isinstance(tool, ComputerTool)), None)


def asks_for_text(response_format: ResponseFormat, sampling: Sampling) -> bool:
    """Whether an answer is to be text alone: half of anything else cannot be joined to a rest."""
    return response_format.kind == "text" and sampling.logprobs is None
