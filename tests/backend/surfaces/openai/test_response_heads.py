"""The head of a stored response repeats what its request said."""

import pytest
from msgspec.structs import replace
from tests.backend.surfaces.stopped_runs import RUN

from cartrita.dialects.openai_responses import request_parsing
from cartrita.domain.errors import NotFound
from cartrita.domain.json import JsonObject
from cartrita.domain.runs import RunInput
from cartrita.kit import ids
from cartrita.surfaces.openai.response_heads import (
    head_of,
    remembered,
    response_id,
    response_not_found,
    run_of,
)

ASKED: JsonObject = {
    "model": "cartrita",
    "input": "Hi",
    "background": True,
    "include": ["reasoning.encrypted_content"],
    "metadata": {"kept": "yes"},
    "temperature": 0.5,
    "conversation": "mine",
}


def test_ids_of_responses_and_runs() -> None:
    name = response_id(RUN.id)
    assert name.startswith("resp_")
    assert run_of(name) == ids.public("run", RUN.id)
    with pytest.raises(NotFound, match="'resp_x' not found"):
        run_of("resp_x")
    assert len(response_not_found("x" * 1000).message) < 200


def test_what_is_remembered_is_shown() -> None:
    parsed = request_parsing.parse({**ASKED}, "ann")
    given = RunInput(
        agent="assistant",
        provider="p",
        model="m",
        metadata=parsed.metadata,
        echo=remembered(parsed),
    )
    head = head_of(replace(RUN, input=given))
    assert (head.id, head.model, head.background) == (response_id(RUN.id), "cartrita", True)
    assert (head.conversation_id, head.metadata) == ("mine", {"kept": "yes"})
    assert head.include == ("reasoning.encrypted_content",)
    assert head.echo == {"temperature": 0.5}


@pytest.mark.parametrize("given", [None, RunInput(agent="assistant", provider="p", model="m")])
def test_without_it_the_run_says_what_it_can(given: RunInput | None) -> None:
    head = head_of(replace(RUN, input=given))
    assert (head.model, head.background, head.include) == ("m", False, ())
    assert head.conversation_id == ids.public("conv", RUN.conversation_id)
