"""Code for a task, and how an answer is taken apart."""

import pytest
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.application.code_generation import CodeGeneration, GeneratedCode, split_code
from cartrita.domain.deltas import Finished, FinishReason, ReasoningDelta, TextDelta
from cartrita.domain.errors import NotFound
from cartrita.domain.principals import Principal
from cartrita.domain.usage import Usage
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.routes import ROUTES

OWNER = Principal("o", "k")
ANSWER = "Here:\n```python\nprint(1)\n```\nIt prints."


@pytest.mark.parametrize(
    ("text", "code", "language", "explanation"),
    [
        (ANSWER, "print(1)", "python", "Here:\n\nIt prints."),
        ("```\na\n```", "a", "python", ""),
        ("```c++ title=x\na\n\n  b\n```\n", "a\n\n  b", "c++", ""),
        ("```sh\na\n```\nor\n```sh\nb\n```", "a", "sh", "or\n```sh\nb\n```"),
        ("```js\ncut off", "cut off", "js", ""),
        ("\n  print(1)\n\nprint(2) \n", "  print(1)\n\nprint(2)", "python", ""),
        ("", "", "python", ""),
    ],
)
def test_the_first_block_is_the_code(text: str, code: str, language: str, explanation: str) -> None:
    assert split_code(text, None, "p/m") == GeneratedCode(code, language, explanation, "p/m")


def test_the_language_is_the_one_that_was_asked_for() -> None:
    assert split_code(ANSWER, "Python 3", "p/m").language == "Python 3"
    assert split_code("fn main() {}", "rust", "p/m").language == "rust"


def generation(scripted: ScriptedProvider) -> CodeGeneration:
    entry = ProviderEntry(provider=scripted, origin=ProviderOrigin.API_KEY, default_model="default")
    return CodeGeneration(Gateway(Catalog([entry], route_names=ROUTES.keys())))


def scripted() -> ScriptedProvider:
    done = Finished(FinishReason.STOP, Usage(1, 1), None)
    return ScriptedProvider([ReasoningDelta("Hm."), TextDelta(ANSWER), done])


async def test_the_route_answers_where_no_model_is_named() -> None:
    provider = scripted()
    generated = await generation(provider).generate(OWNER, "Print 1.", language="python")
    assert generated == GeneratedCode(
        "print(1)", "python", "Here:\n\nIt prints.", f"{provider.name}/default"
    )
    (request,) = provider.requests
    assert request.sampling.temperature == 0.2
    assert "Write it in python." in request.messages[0].text
    assert "fenced code block" in request.instructions_text


async def test_a_model_can_be_named() -> None:
    provider = scripted()
    name = f"{provider.name}/big"
    assert (await generation(provider).generate(OWNER, "x", model=name)).model == name
    with pytest.raises(NotFound):
        await generation(scripted()).generate(OWNER, "x", model="no-such-model")
