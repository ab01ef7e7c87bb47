"""The content blocks of an answer, each as it is streamed and as a whole."""

from collections.abc import Iterator

import msgspec
from tests.harness.fake_provider import content, words
from tests.harness.fake_provider.anthropic_messages import computer
from tests.harness.fake_provider.anthropic_messages.message_request import MessageRequest
from tests.harness.fake_provider.dialect import Service
from tests.harness.fake_provider.script import Citation, Script, ToolCall
from tests.harness.fake_provider.scripted_content import ScriptedContent, function, functions

Json = dict[str, object]


class Block(msgspec.Struct, frozen=True):
    """`start` opens it, `deltas` fill it (each with the tokens that it carries)."""

    kind: str
    start: Json
    deltas: list[tuple[Json, int]]
    whole: Json


class AnswerBlocks:
    """What an answer consists of; `tokens` counts all that it carries."""

    def __init__(
        self, service: Service, script: Script, request: MessageRequest, digest: str
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
            forced=function(request.forced_tool, "input_schema"),
            offered=functions(request.offered, "input_schema"),
            max_tokens=request.max_tokens,
            stop=request.stop,
        )
        self.calls, self.ending, self._content = said.calls, said.ending, said
        self._thinking = said.reasoning if request.thinks else []
        self._all = list(self._made())

    def __iter__(self) -> Iterator[Block]:
        return iter(self._all)

    @property
    def thinking_tokens(self) -> int:
        return len(self._thinking)

    @property
    def tokens(self) -> int:
        return len(self._thinking) + len(self.ending.tokens) + self._content.argument_tokens

    def _made(self) -> Iterator[Block]:
        if self._thinking:
            yield self._thought()
        if self._request.thinks and self._script.redacted_reasoning is not None:
            data = self._service.seal.close(self._script.redacted_reasoning)
            block: Json = {"type": "redacted_thinking", "data": data}
            yield Block("redacted_thinking", block, [], block)
        said = "".join(self.ending.tokens)
        for piece, cited in content.cited(said, self._content.citations):
            yield self._text(piece, cited)
        for position, call in enumerate(self.calls):
            yield self._call(call, position)

    def _thought(self) -> Block:
        said = "".join(self._thinking) if self._request.shows_thinking else ""
        signature = self._service.seal.sign(said)
        deltas = self._pieces(said, "thinking_delta", "thinking")
        deltas.append((_delta("signature_delta", "signature", signature), 0))
        start: Json = {"type": "thinking", "thinking": "", "signature": ""}
        return Block("thinking", start, deltas, start | {"thinking": said, "signature": signature})

    def _text(self, said: str, cited: list[Citation]) -> Block:
        start: Json = {"type": "text", "text": ""}
        deltas = self._pieces(said, "text_delta", "text")
        whole = start | {"text": said}
        if cited:
            start["citations"] = []
            locations = [_location(citation) for citation in cited]
            deltas += [(_delta("citations_delta", "citation", each), 0) for each in locations]
            whole["citations"] = locations
        return Block("text", start, deltas, whole)

    def _pieces(self, said: str, kind: str, field: str) -> list[tuple[Json, int]]:
        size = self._script.tokens_per_delta
        tokens = words.tokens(said)
        pieces = [tokens[start : start + size] for start in range(0, len(tokens), size)]
        return [(_delta(kind, field, "".join(piece)), len(piece)) for piece in pieces]

    def _call(self, call: ToolCall, position: int) -> Block:
        start: Json = {
            "type": "tool_use",
            "id": call.id or f"toolu_01{self._digest[:21]}{position}",
            "name": call.name,
            "input": {},
        }
        if self._request.has_toolset and call.name in computer.MEMBERS:
            start |= {"toolset_name": computer.NAME, "caller": {"type": "direct"}}
        deltas = [
            (_delta("input_json_delta", "partial_json", piece), int(bool(piece)))
            for piece in ("", *content.argument_pieces(call))
        ]
        return Block("tool_use", start, deltas, start | {"input": _input(call)})


def _delta(kind: str, field: str, value: object) -> Json:
    return {"type": kind, field: value}


def _input(call: ToolCall) -> object:
    """The arguments; broken JSON comes as the text that it is, which a careful client refuses."""
    try:
        return msgspec.json.decode(call.arguments_text or "{}")
    except msgspec.DecodeError:
        return call.arguments_text


def _location(citation: Citation) -> Json:
    if citation.url is not None:
        return {
            "type": "web_search_result_location",
            "cited_text": citation.cited_text,
            "url": citation.url,
            "title": citation.title,
            "encrypted_index": f"index-{citation.start}",
        }
    return {
        "type": "char_location",
        "cited_text": citation.cited_text,
        "document_index": citation.document,
        "document_title": citation.title or None,
        "start_char_index": 0,
        "end_char_index": len(citation.cited_text),
        "file_id": None,
    }
