"""The content of one answer: what its script says, or what its request forces."""

from collections.abc import Sequence
from functools import partial
from typing import cast

from tests.harness.fake_provider import capable, content, json_instances, words
from tests.harness.fake_provider.capable import Function
from tests.harness.fake_provider.content import Ending, Question
from tests.harness.fake_provider.script import Script, ToolCall

Json = dict[str, object]


class ScriptedContent:
    """Reasoning, text and calls; a text that must fit `schema` and the call of `forced` are drawn.

    A capable script also calls what suits the prompt of the functions `offered`.
    """

    def __init__(
        self,
        script: Script,
        asked: Question,
        seed: int,
        *,
        schema: Json | None = None,
        forced: Function | None = None,
        offered: Sequence[Function] = (),
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        choice: int = 0,
    ) -> None:
        prompt = content.answered_prompt(script, asked, seed)
        key = f"{seed}:{prompt}:{choice}"
        self.reasoning = words.tokens(content.reasoning(script, prompt, seed))
        self.refusal = words.tokens(script.refusal or "")
        self.calls = content.calls(script, asked.after_tool)
        said = content.text(script, asked, seed, choice)
        if script.text is None and not self.calls:
            if script.capable and forced is None and not asked.after_tool:
                forced = capable.wanted(offered, prompt)
            if forced is not None:
                self.calls = (_call(script, forced, prompt, key),)
                said = ""
            elif not self.refusal:
                said = _document(script, schema, prompt, key) or said
        self.ending: Ending = content.ending(said, max_tokens, stop)
        # What is continued is cited nowhere: the places are those of the whole.
        self.citations = () if asked.held else script.citations

    @property
    def argument_tokens(self) -> int:
        return sum(len(content.argument_pieces(call)) for call in self.calls)


def function(declared: Json | None, field: str) -> Function | None:
    """The name of a declared function, and the schema in this field of it."""
    if declared is None:
        return None
    return cast("str", declared["name"]), cast("Json", declared.get(field) or {})


def functions(declared: Sequence[Json], field: str) -> list[Function]:
    """The same of several; vendors' own tools have no schema and are left out."""
    return [made for each in declared if field in each and (made := function(each, field))]


def _call(script: Script, forced: Function, prompt: str, key: str) -> ToolCall:
    name, parameters = forced
    draw = partial(capable.arguments, prompt=prompt) if script.capable else json_instances.draw
    return ToolCall(name=name, arguments=draw(parameters, key=key))


def _document(script: Script, schema: Json | None, prompt: str, key: str) -> str | None:
    """The text of an answer that must be JSON; None where it need not."""
    if script.capable and not schema:
        found = capable.requested_object(prompt, key)
        if found is not None:
            return found
    if schema is None:
        return None
    draw = partial(capable.document, prompt=prompt) if script.capable else json_instances.draw
    return draw(schema, key=key)
