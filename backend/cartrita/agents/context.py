"""What a model is sent in the steps of one assignment: all of it, while there is room."""

from msgspec.structs import replace

from cartrita.domain.messages import Message, Part, Text, ToolResult
from cartrita.domain.ports.tokens import TokenCounter
from cartrita.domain.requests import ModelRequest
from cartrita.kit.text import shortened

_LEFT_OUT = "[The result of this call is left out here, because it is old: {length} characters.]"
_SHORT = 400
"""Results of so many characters stay: leaving them out would save nothing."""


class Context:
    """The messages of an assignment, which grow by two with each step.

    Providers cache what a request begins with, so nothing before its end changes from step to step.
    Only when there are more than `limit` tokens, the results of old tool calls are left out, and so
    many at once that half of the limit is free again: the next steps have a stable beginning.
    Where that is not enough, the results of the last step are cut.
    """

    def __init__(
        self, messages: tuple[Message, ...], counter: TokenCounter, model: str, limit: int
    ) -> None:
        self._messages = list(messages)
        self._first = len(messages)
        self._counter = counter
        self._model = model
        self._limit = limit
        self._tokens = 0
        self._added: list[int] = []

    def add(self, said: Message, results: Message) -> None:
        """Add a step: what the model said, and the results of its calls."""
        for message in (said, results):
            self._messages.append(message)
            self._added.append(self._count(message))
        self._tokens += self._added[-2] + self._added[-1]
        if self._tokens > self._limit:
            self._compact()

    def messages(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    def _compact(self) -> None:
        """Leave out results, the oldest first, but none of the last step."""
        for position, tokens in enumerate(self._added[:-2]):
            if self._tokens <= self._limit // 2:
                return
            place = self._first + position
            shorter = _without_results(self._messages[place])
            self._messages[place] = shorter
            self._added[position] = self._count(shorter)
            self._tokens += self._added[position] - tokens
        if self._tokens > self._limit:
            self._cut_last_results()

    def _cut_last_results(self) -> None:
        """Cut the results of the last step, so that they share half of the limit."""
        last, tokens = self._messages[-1], self._added[-1]
        results = [part for part in last.parts if isinstance(part, ToolResult)]
        length = sum(len(part.text) for part in results)
        share = length * (self._limit // 2) // (max(tokens, 1) * max(len(results), 1))
        self._messages[-1] = replace(
            last, parts=tuple(_cut(part, max(share, _SHORT)) for part in last.parts)
        )
        self._added[-1] = self._count(self._messages[-1])
        self._tokens += self._added[-1] - tokens

    def _count(self, message: Message) -> int:
        request = ModelRequest(owner_id="", model=self._model, messages=(message,))
        return self._counter.count_request(request).tokens


def _without_results(message: Message) -> Message:
    return replace(message, parts=tuple(map(_shortened, message.parts)))


def _shortened(part: Part) -> Part:
    if not isinstance(part, ToolResult) or (len(part.text) <= _SHORT and len(part.content) == 1):
        return part
    return replace(part, content=(Text(_LEFT_OUT.format(length=len(part.text))),))


def _cut(part: Part, most: int) -> Part:
    if not isinstance(part, ToolResult) or len(part.text) <= most:
        return part
    others = (each for each in part.content if not isinstance(each, Text))
    return replace(part, content=(Text(shortened(part.text, most)), *others))
