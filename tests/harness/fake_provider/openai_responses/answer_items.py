"""The output items of an answer, each as it is streamed and as a whole."""

from collections.abc import Iterator
from typing import cast

import msgspec
from tests.harness.fake_provider import content, words
from tests.harness.fake_provider.dialect import Service
from tests.harness.fake_provider.openai import citations, logprobs
from tests.harness.fake_provider.openai_responses import computer
from tests.harness.fake_provider.openai_responses.response_request import ResponseRequest
from tests.harness.fake_provider.script import Script, ToolCall
from tests.harness.fake_provider.scripted_content import ScriptedContent, function, functions

Json = dict[str, object]
# Events in order, each with the tokens that it carries.
Events = list[tuple[Json, int]]


class Item(msgspec.Struct, frozen=True):
    """`added` opens it, `events` fill it, `done` is the whole."""

    added: Json
    events: Events
    done: Json


class AnswerItems:
    """What an answer consists of; `tokens` counts all that it carries."""

    def __init__(
        self, service: Service, script: Script, request: ResponseRequest, digest: str
    ) -> None:
        self._service = service
        self._script = script
        self._request = request
        self._digest = digest
        said = ScriptedContent(
            script,
            request.asked,
            service.seed,
            schema=request.schema,
            forced=function(request.forced_tool, "parameters"),
            offered=functions(request.offered, "parameters"),
            max_tokens=request.max_tokens,
        )
        self.ending, self._content, self._reasoning = said.ending, said, said.reasoning
        self._all = list(self._made())

    def __iter__(self) -> Iterator[Item]:
        return iter(self._all)

    @property
    def reasoning_tokens(self) -> int:
        return len(self._reasoning)

    @property
    def tokens(self) -> int:
        said = self._content
        spoken = len(said.ending.tokens) + len(said.refusal) + said.argument_tokens
        return len(said.reasoning) + spoken

    def _made(self) -> Iterator[Item]:
        if self._reasoning or self._script.redacted_reasoning is not None:
            yield self._thought()
        if self.ending.tokens or self._script.refusal is not None or not self._content.calls:
            yield self._message()
        for position, call in enumerate(self._content.calls):
            yield self._call(call, position)

    def _thought(self) -> Item:
        said = "".join(self._reasoning)
        added: Json = {"id": f"rs_{self._digest[:32]}", "type": "reasoning", "summary": []}
        done = dict(added)
        if self._request.encrypts:
            sealed = self._script.redacted_reasoning or said
            done["encrypted_content"] = self._service.seal.close(sealed)
        if not self._request.summarizes or not said:
            return Item(added, [({"type": "@silent"}, len(self._reasoning))], done)
        part: Json = {"type": "summary_text", "text": said}
        where: Json = {"item_id": added["id"], "summary_index": 0}
        kind = "response.reasoning_summary"
        events: Events = [
            ({"type": f"{kind}_part.added", **where, "part": part | {"text": ""}}, 0),
            *self._deltas(self._reasoning, f"{kind}_text.delta", where),
            ({"type": f"{kind}_text.done", **where, "text": said}, 0),
            ({"type": f"{kind}_part.done", **where, "part": part}, 0),
        ]
        return Item(added, events, done | {"summary": [part]})

    def _message(self) -> Item:
        added: Json = {
            "id": f"msg_{self._digest[:32]}",
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        parts: list[tuple[Json, Events]] = []
        if self.ending.tokens or self._script.refusal is None:
            parts.append(self._text(cast("str", added["id"])))
        if self._script.refusal is not None:
            parts.append(self._refused(cast("str", added["id"]), len(parts)))
        events: Events = []
        for index, (part, inner) in enumerate(parts):
            where = {"item_id": added["id"], "content_index": index}
            empty = {name: _EMPTY.get(name, value) for name, value in part.items()}
            events.append(({"type": "response.content_part.added", **where, "part": empty}, 0))
            events += inner
            events.append(({"type": "response.content_part.done", **where, "part": part}, 0))
        status = "incomplete" if self.ending.reason == "length" else "completed"
        return Item(added, events, added | {"status": status, "content": [p for p, _ in parts]})

    def _text(self, item: str) -> tuple[Json, Events]:
        tokens, top = self.ending.tokens, self._request.top_logprobs
        said = "".join(tokens)
        chances = [] if top is None else logprobs.of(tokens, top)
        notes = [citations.of_response(each) for each in self._content.citations]
        part: Json = {
            "type": "output_text",
            "text": said,
            "annotations": notes,
            "logprobs": chances,
        }
        where: Json = {"item_id": item, "content_index": 0}
        kind = "response.output_text"
        events = self._deltas(tokens, f"{kind}.delta", where, chances)
        events += [
            ({"type": f"{kind}.annotation.added", **where, "annotation": note,
              "annotation_index": index}, 0)
            for index, note in enumerate(notes)
        ]  # fmt: skip
        events.append(({"type": f"{kind}.done", **where, "text": said, "logprobs": chances}, 0))
        return part, events

    def _refused(self, item: str, index: int) -> tuple[Json, Events]:
        said = self._script.refusal or ""
        where: Json = {"item_id": item, "content_index": index}
        events = self._deltas(words.tokens(said), "response.refusal.delta", where)
        events.append(({"type": "response.refusal.done", **where, "refusal": said}, 0))
        return {"type": "refusal", "refusal": said}, events

    def _deltas(
        self, tokens: list[str], kind: str, where: Json, chances: list[Json] | None = None
    ) -> Events:
        size = self._script.tokens_per_delta
        events: Events = []
        for start in range(0, len(tokens), size):
            piece = tokens[start : start + size]
            event: Json = {"type": kind, **where, "delta": "".join(piece)}
            if chances is not None:
                event["logprobs"] = chances[start : start + size]
            events.append((event, len(piece)))
        return events

    def _call(self, call: ToolCall, position: int) -> Item:
        if self._request.has_computer and call.name == computer.CALL:
            return self._computer_call(call, position)
        added: Json = {
            "id": f"fc_{self._digest[:31]}{position}",
            "type": "function_call",
            "status": "in_progress",
            "call_id": call.id or f"call_{self._digest[:23]}{position}",
            "name": call.name,
            "arguments": "",
        }
        said = call.arguments_text
        kind, where = "response.function_call_arguments", {"item_id": added["id"]}
        events: Events = [
            ({"type": f"{kind}.delta", **where, "delta": piece}, 1)
            for piece in content.argument_pieces(call)
        ]
        events.append(({"type": f"{kind}.done", **where, "arguments": said}, 0))
        return Item(added, events, added | {"status": "completed", "arguments": said})

    def _computer_call(self, call: ToolCall, position: int) -> Item:
        """The arguments are its fields: actions, and what is to be checked."""
        added: Json = {
            "id": f"cu_{self._digest[:31]}{position}",
            "type": computer.CALL,
            "status": "in_progress",
            "call_id": call.id or f"call_{self._digest[:23]}{position}",
            "pending_safety_checks": [],
        }
        said: Json = msgspec.json.decode(call.arguments_text)
        events: Events = [({"type": "@silent"}, len(content.argument_pieces(call)))]
        return Item(added, events, added | {"status": "completed"} | said)


_EMPTY: Json = {"text": "", "refusal": "", "annotations": [], "logprobs": []}
