"""Deltas: the pieces of a model's streamed answer."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from cartrita.domain.failovers import Failover
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage

_MOST_LOGPROBS: Final = 64
"""Tokens of one delta with log probabilities: with 20 alternatives to each, 100 KB of JSON."""
_DELTA_BYTES: Final = 100


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL_CALL = "tool_call"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"


class Accepted(msgspec.Struct, frozen=True, omit_defaults=True, tag="accepted"):
    """A deployment has begun to answer; nothing of the answer is visible yet.

    It is the first delta, where a provider sends it, and comes again when another deployment
    continues an answer that broke off. `model` is the provider's name for the model as it was sent,
    `answered_as` the one in its answer where that is another, such as that of a dated version.
    `receipts` tell what the translation of the request lost; `failovers` are those since the
    request began. `counted` is the usage that a provider tells before its answer, which the gateway
    keeps for itself: it is not all of it.
    """

    provider: str
    model: str
    receipts: tuple[Receipt, ...] = ()
    failovers: tuple[Failover, ...] = ()
    answered_as: str | None = None
    counted: Usage | None = None


class TextDelta(msgspec.Struct, frozen=True, omit_defaults=True, tag="text"):
    """More text of the answer; `logprobs` are those of its tokens, as OpenAI writes them."""

    text: str
    logprobs: tuple[JsonObject, ...] = ()


class RefusalDelta(msgspec.Struct, frozen=True, tag="refusal"):
    """More of the model's words for refusing to answer."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, omit_defaults=True, tag="reasoning"):
    """More reasoning of the model.

    One with a `signature` or with `encrypted` text ends its block of reasoning: see `Reasoning`.
    """

    text: str
    signature: str | None = None
    encrypted: str | None = None
    origin: str | None = None
    id: str | None = None

    @property
    def sealed(self) -> bool:
        """Whether it ends a block that has to be sent back as it is."""
        return self.signature is not None or self.encrypted is not None


class ToolCallDelta(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool_call"):
    """A fragment of the tool call at `index`; `arguments` is a fragment of its JSON text.

    `problem`, `origin` and `vendor` are those of `ToolCall`, in a fragment that is the whole call.
    """

    index: int
    call_id: str | None = None
    name: str | None = None
    arguments: str = ""
    problem: str | None = None
    origin: str | None = None
    vendor: JsonObject = {}


class CitationDelta(msgspec.Struct, frozen=True, tag="citation"):
    """A source of the text before it."""

    citation: Citation


class VendorDelta(msgspec.Struct, frozen=True, tag="vendor"):
    """A whole part that only the dialect of its provider understands."""

    part: VendorPart


class Finished(msgspec.Struct, frozen=True, omit_defaults=True, tag="finished"):
    """The model finished its answer. Always the last delta.

    A stream that ends without it was interrupted. `stop_sequence` is the one that the model met;
    `vendor_reason` is the provider's own word for the reason, where it says more than ours.
    """

    reason: FinishReason
    usage: Usage
    model: str | None = None
    stop_sequence: str | None = None
    vendor_reason: str | None = None


Delta: TypeAlias = (
    Accepted
    | TextDelta
    | RefusalDelta
    | ReasoningDelta
    | ToolCallDelta
    | CitationDelta
    | VendorDelta
    | Finished
)


def answered_as(deltas: Sequence[Delta], sent: str) -> str | None:
    """`Accepted.answered_as` of a whole answer, whose request named the model as `sent`."""
    last = deltas[-1] if deltas else None
    model = last.model if isinstance(last, Finished) else None
    return None if model == sent else model


def in_pieces(deltas: Iterable[Delta]) -> Iterator[Delta]:
    """The same answer in deltas of which none has the log probabilities of very many tokens.

    They are what makes one delta of a whole answer large: events, frames and rows come of each.
    """
    for delta in deltas:
        if isinstance(delta, TextDelta) and len(delta.logprobs) > _MOST_LOGPROBS:
            yield from _pieces(delta)
        else:
            yield delta


def size_of(deltas: Iterable[Delta]) -> int:
    """About how many bytes of JSON can be made of these deltas."""
    return sum(map(_size, deltas))


def _pieces(delta: TextDelta) -> Iterator[TextDelta]:
    """Each with the text of its tokens; all of it in the first where they do not make it up."""
    tokens = delta.logprobs
    parts = [tokens[at : at + _MOST_LOGPROBS] for at in range(0, len(tokens), _MOST_LOGPROBS)]
    texts = ["".join(str(token.get("token", "")) for token in part) for part in parts]
    if "".join(texts) != delta.text:
        texts = [delta.text, *[""] * (len(parts) - 1)]
    return map(TextDelta, texts, parts)


def _size(delta: Delta) -> int:
    match delta:
        case TextDelta(text=text, logprobs=logprobs):
            return _DELTA_BYTES + len(text) + _DELTA_BYTES * len(logprobs)
        case ReasoningDelta(text=text) | RefusalDelta(text=text):
            return _DELTA_BYTES + len(text)
        case ToolCallDelta(arguments=arguments):
            return _DELTA_BYTES + len(arguments)
        case _:
            return _DELTA_BYTES
