"""Which script answers which request."""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Annotated

import msgspec
from tests.harness.fake_provider.content import Question
from tests.harness.fake_provider.script import Script, directives

MODELS: dict[str, Script] = {
    "fake": Script(),
    "fake-echo": Script(echo=True),
    "capable": Script(capable=True),
    "fake-words": Script(words=60),
    "fake-slow": Script(words=200, between_tokens_s=0.05),
    "fake-reasoning": Script(words=20, reasoning_words=20),
}


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A script for the next `times` requests, or for a model until reset, or for want of another.

    `default` and `model` exclude each other; a model that was unknown becomes known. With `path`
    it is for requests to that path alone, the ones without a script of their own included
    (`/v1/models`, `/oauth/token`): until reset with `default`, else `times` times.
    """

    script: Script
    times: Annotated[int, msgspec.Meta(ge=1)] = 1
    default: bool = False
    model: str | None = None
    path: str | None = None


class MalformedScript(Exception):
    """A [[script]] directive, or an assignment, that is none."""


class ScriptSelector:
    """Scripts by precedence: of the path, queued, of the model, in the message, default, its own.

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
        self._paths: dict[str, deque[Script]] = {}
        self._path_defaults: dict[str, Script] = {}
        self._met.clear()

    def assign(self, assignment: Assignment) -> None:
        repeated = [assignment.script] * assignment.times
        if assignment.path is not None:
            if assignment.default:
                self._path_defaults[assignment.path] = assignment.script
            else:
                self._paths.setdefault(assignment.path, deque()).extend(repeated)
        elif assignment.model is not None:
            self._bound[assignment.model] = assignment.script
        elif assignment.default:
            self._default = assignment.script
        else:
            self._queue.extend(repeated)

    def for_path(self, path: str) -> Script | None:
        """Return the script that is for this path alone."""
        if queue := self._paths.get(path):
            return queue.popleft()
        return self._path_defaults.get(path)

    def choose(self, path: str, model: str, asked: Question) -> Script:
        """Return the script of an answer; raises MalformedScript where a directive is malformed."""
        if script := self.for_path(path):
            return script
        if self._queue:
            return self._queue.popleft()
        if model in self._bound:
            return self._bound[model]
        if written := self._written(asked.instruction or "") or self._written(asked.prompt):
            return written
        return self._default or self._own[model]

    def _written(self, prompt: str) -> Script | None:
        try:
            scripts = directives(prompt)
        except ValueError as error:  # JSONDecodeError and ValidationError are both one
            raise MalformedScript(f"The [[script]] is malformed: {error}") from error
        if not scripts:
            return None
        met = self._met[prompt]
        self._met[prompt] += 1
        return scripts[min(met, len(scripts) - 1)]
