"""Which script answers which request."""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Annotated

import msgspec
from tests.harness.fake_provider.openai_chat import errors
from tests.harness.fake_provider.openai_chat.chat_request import ChatRequest
from tests.harness.fake_provider.script import Script, directives

MODELS: dict[str, Script] = {
    "fake": Script(),
    "fake-echo": Script(echo=True),
    "fake-words": Script(words=60),
    "fake-slow": Script(words=200, between_tokens_s=0.05),
    "fake-reasoning": Script(words=20, reasoning_words=20),
}


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A script for the next `times` requests, or for a model until reset, or for want of another.

    `default` and `model` exclude each other; a model that was unknown becomes known.
    """

    script: Script
    times: Annotated[int, msgspec.Meta(ge=1)] = 1
    default: bool = False
    model: str | None = None


class ScriptSelector:
    """Scripts by precedence: queued, bound to the model, in the message, default, of the model.

    Several directives in one message are met one after the other by the requests that carry it as
    their last user message; the last one stays.
    """

    def __init__(self, models: Sequence[str] = ()) -> None:
        """`models` are known besides MODELS and answer like `fake`."""
        self._own = MODELS | dict.fromkeys(models, Script())
        self._met: Counter[str] = Counter()
        self.reset()

    @property
    def models(self) -> list[str]:
        return list(self._own | self._bound)

    def reset(self) -> None:
        """Forget what was assigned and met."""
        self._queue: deque[Script] = deque()
        self._bound: dict[str, Script] = {}
        self._default: Script | None = None
        self._met.clear()

    def assign(self, assignment: Assignment) -> None:
        if assignment.model is not None:
            self._bound[assignment.model] = assignment.script
        elif assignment.default:
            self._default = assignment.script
        else:
            self._queue.extend([assignment.script] * assignment.times)

    def choose(self, request: ChatRequest) -> Script:
        """Return the script for this request; raises Refusal where its directive is malformed."""
        if self._queue:
            return self._queue.popleft()
        if request.model in self._bound:
            return self._bound[request.model]
        if written := self._written(request.prompt):
            return written
        return self._default or self._own[request.model]

    def _written(self, prompt: str) -> Script | None:
        try:
            scripts = directives(prompt)
        except ValueError as error:  # JSONDecodeError and ValidationError are both one
            message = f"The [[script]] is malformed: {error}"
            raise errors.Refusal(message, code="invalid_script") from error
        if not scripts:
            return None
        met = self._met[prompt]
        self._met[prompt] += 1
        return scripts[min(met, len(scripts) - 1)]
