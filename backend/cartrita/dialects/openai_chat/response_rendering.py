"""Renders the deltas of answers as a whole completion."""

from collections.abc import Iterable

import msgspec

from cartrita.dialects.openai_chat import reasoning_details
from cartrita.dialects.openai_chat.answer_fields import (
    CompletionHead,
    annotation,
    finish_reason,
    finishing_fields,
    lost_part,
    usage_fields,
)
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation, Reasoning
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage

_encode = msgspec.json.Encoder().encode


def render(head: CompletionHead, *answers: Iterable[Delta]) -> bytes:
    """The JSON body: one choice for each of the answers, and their usage together."""
    choices = [_Choice(head) for _ in answers]
    for choice, deltas in zip(choices, answers, strict=True):
        for delta in deltas:
            choice.add(delta)
    usage = sum((choice.usage for choice in choices), Usage())
    return _encode(
        {
            "id": head.id,
            "object": "chat.completion",
            "created": head.created,
            "model": head.model,
            "choices": [choice.fields(index) for index, choice in enumerate(choices)],
            "usage": usage_fields(usage),
            "system_fingerprint": None,
            **head.extra,
            **finishing_fields(head, usage, [one for choice in choices for one in choice.lost]),
        }
    )


class _Choice:
    """One answer, put together from its deltas."""

    def __init__(self, head: CompletionHead) -> None:
        self._head = head
        self.usage = Usage()
        self.lost: list[Receipt] = []
        self._reason = FinishReason.STOP
        self._texts: list[str] = []
        self._length = 0
        self._run_start = 0
        self._refusals: list[str] = []
        self._blocks: list[Reasoning] = []
        self._open: list[str] = []  # the text of the reasoning that is not sealed
        self._calls: dict[int, _Call | JsonObject] = {}
        self._cited = False
        self._annotations: list[JsonValue] = []
        self._logprobs: list[JsonValue] = []

    def add(self, delta: Delta) -> None:
        if isinstance(delta, ReasoningDelta):
            self._add_reasoning(delta)
            return
        if not isinstance(delta, CitationDelta):
            self._close_reasoning()
        match delta:
            case TextDelta():
                self._add_text(delta)
            case RefusalDelta(text=text):
                self._refusals.append(text)
            case ToolCallDelta():
                self._add_call(delta)
            case CitationDelta(citation=citation):
                self._cited = True
                self._cite(citation)
            case _:
                self._add_rest(delta)

    def fields(self, index: int) -> JsonObject:
        """The choice as JSON."""
        message: JsonObject = {
            "role": "assistant",
            "content": "".join(self._texts) if self._texts else None,
            "refusal": "".join(self._refusals) if self._refusals else None,
            "annotations": self._annotations,
        }
        if reasoning := "".join(block.text for block in self._blocks):
            message["reasoning_content"] = reasoning
        if any(block.signature or block.encrypted for block in self._blocks):
            message["reasoning_details"] = [
                reasoning_details.render(block, at) for at, block in enumerate(self._blocks)
            ]
        calls = [
            call.fields() if isinstance(call, _Call) else call for call in self._calls.values()
        ]
        if calls and self._head.legacy:
            message["function_call"] = calls[0].get("function")
        elif calls:
            message["tool_calls"] = list(calls)
        logprobs: JsonObject | None = None
        if self._logprobs:
            logprobs = {"content": self._logprobs, "refusal": None}
        return {
            "index": index,
            "message": message,
            "logprobs": logprobs,
            "finish_reason": finish_reason(self._head, self._reason),
        }

    def _add_text(self, delta: TextDelta) -> None:
        if self._cited:
            self._run_start, self._cited = self._length, False
        self._texts.append(delta.text)
        self._length += len(delta.text)
        self._logprobs.extend(delta.logprobs)

    def _cite(self, citation: Citation) -> None:
        if (lost := lost_part(citation)) is not None:
            self.lost.append(lost)
        else:
            self._annotations.append(annotation(citation, self._run_start, self._length))

    def _add_reasoning(self, delta: ReasoningDelta) -> None:
        self._open.append(delta.text)
        if delta.sealed:
            text = "".join(self._open)
            self._open.clear()
            self._blocks.append(
                Reasoning(text, delta.signature, delta.encrypted, delta.origin, delta.id)
            )

    def _close_reasoning(self) -> None:
        if self._open:
            self._blocks.append(Reasoning("".join(self._open)))
            self._open.clear()

    def _add_call(self, delta: ToolCallDelta) -> None:
        call = self._calls.setdefault(delta.index, _Call())
        assert isinstance(call, _Call)
        call.id = call.id or delta.call_id or ""
        call.name = call.name or delta.name or ""
        call.arguments.append(delta.arguments)

    def _add_rest(self, delta: Delta) -> None:
        if isinstance(delta, VendorDelta):
            if (lost := lost_part(delta.part)) is not None:
                self.lost.append(lost)
            else:
                self._calls[-1 - len(self._calls)] = delta.part.data
        elif isinstance(delta, Finished):
            self._reason, self.usage = delta.reason, delta.usage


class _Call:
    """One call of a function."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []

    def fields(self) -> JsonObject:
        function: JsonObject = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.id, "type": "function", "function": function}
