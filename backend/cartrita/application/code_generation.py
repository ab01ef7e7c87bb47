"""Code for a task: one model call that is not stored."""

import re

import msgspec

from cartrita.domain.deltas import TextDelta
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.principals import Principal
from cartrita.domain.requests import ModelRequest, Sampling
from cartrita.gateway.calls import Call
from cartrita.gateway.gateway import Gateway

ROUTE = "code"
"""The route that answers where no model is named."""

LANGUAGE = "python"
"""The language where none is asked for, and the answer names none."""

TEMPERATURE = 0.2
_INSTRUCTIONS = (
    "You write code. Answer with one fenced code block that holds the whole solution, and after it "
    "a short explanation."
)
_BLOCK = re.compile(r"```([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.S | re.M)


class GeneratedCode(msgspec.Struct, frozen=True):
    """The first fenced block of an answer, and everything around it as `explanation`.

    An answer without a block is code as a whole. `language` is the requested one, else that of the
    block, else `python`. `model` is `provider/name`.
    """

    code: str
    language: str
    explanation: str
    model: str


class CodeGeneration:
    """Answers tasks with code."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def generate(
        self,
        principal: Principal,
        task: str,
        *,
        language: str | None = None,
        model: str | None = None,
    ) -> GeneratedCode:
        """Code for `task`, by `model` or by the route `code`. Raises as `Gateway.open` does."""
        wanted = f"{task}\n\nWrite it in {language}." if language else task
        request = ModelRequest(
            owner_id=principal.owner_id,
            model=model or ROUTE,
            instructions=(Text(_INSTRUCTIONS),),
            messages=(Message(Role.USER, (Text(wanted),)),),
            sampling=Sampling(temperature=TEMPERATURE),
        )
        call = Call(
            owner_id=principal.owner_id,
            key_id=principal.key_id,
            caller_trace=principal.caller_trace,
            surface="native",
            name=model or ROUTE,
            parse=lambda: request,
            streamed=False,
            tenant_id=principal.tenant_id,
            scopes=principal.scopes,
        )
        async with self._gateway.open(call) as answer:
            text = "".join(
                [item.text async for item in answer.items if isinstance(item, TextDelta)]
            )
            return split_code(text, language, f"{answer.provider}/{answer.model}")


def split_code(text: str, language: str | None, model: str) -> GeneratedCode:
    """The first fenced block of a text, which may be cut off, and the rest."""
    found = _BLOCK.search(text)
    if found is None:
        return GeneratedCode(text.strip("\n").rstrip(), language or LANGUAGE, "", model)
    around = (text[: found.start()].strip(), text[found.end() :].strip())
    explanation = "\n\n".join(part for part in around if part)
    code = found[2].rstrip("\n")
    return GeneratedCode(code, language or found[1] or LANGUAGE, explanation, model)
