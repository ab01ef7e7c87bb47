"""The content of one answer: what its script says, or what its request forces."""

from collections.abc import Sequence
from typing import cast

from tests.harness.fake_provider import content, json_instances, words
from tests.harness.fake_provider.content import Ending, Question
from tests.harness.fake_provider.script import Script, ToolCall

Json = dict[str, object]


class ScriptedContent:
    """Reasoning, text and calls; a text that must fit `schema` and the call of `forced` are drawn.

    `forced` is a function's name and the schema of its arguments.
    """

    def __init__(
        self,
        script: Script,
        asked: Question,
        seed: int,
        *,
        schema: Json | None = None,
        forced: tuple[str, Json] | None = None,
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
        if script.text is None and not self.calls and forced is not None:
            name, parameters = forced
            drawn = json_instances.draw(parameters, key)
            self.calls = (ToolCall(name=name, arguments=drawn),)
            said = ""
        elif script.text is None and not self.calls and not self.refusal and schema is not None:
            said = json_instances.draw(schema, key)
        self.ending: Ending = content.ending(said, max_tokens, stop)
        # What is continued is cited nowhere: the places are those of the whole.
        self.citations = () if asked.held else script.citations

    @property
    def argument_tokens(self) -> int:
        return sum(len(content.argument_pieces(call)) for call in self.calls)


def forced(function: Json | None, field: str) -> tuple[str, Json] | None:
    """The name of a function that must be called, and the schema in this field of it."""
    if function is None:
        return None
    return cast("str", function["name"]), cast("Json", function.get(field) or {})
