"""An upstream killed at any token: the answer is continued, or its stream ends with an error."""

from collections.abc import Sequence
from typing import Literal

import anthropic
import openai
import pytest
from tests.harness.fake_provider.launch import fake_provider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fake_provider.timing_faults import CutOff
from tests.harness.server import KEY, Server
from tests.journeys.fault_table import kills, table
from tests.journeys.fault_table.clients import WATCHDOG_S
from tests.journeys.fault_table.rows import TEXT
from tests.journeys.fault_table.table import Cell, Table

CELLS = kills.cells()
SAMPLE = [cell for cell in CELLS if cell.number % 7 == 0]
HOWS: tuple[Literal["rst", "fin", "end"], ...] = ("rst", "fin", "end")


def check(planned: Sequence[Cell]) -> None:
    with (
        fake_provider(seed=3, key="sk-of-the-kills", models=table.MODELS) as provider,
        table.cartrita(provider, planned) as server,
    ):
        found = Table(server, provider, "").run(planned)
        assert not server.unexpected_errors()
    problems = [
        f"{cell.case.name}, {cell.surface.name}, {cell.dialect}: {found[cell.number].problem}"
        for cell in planned
        if found[cell.number].problem
    ]
    assert not problems, "\n".join(problems)


def test_some_tokens() -> None:
    check(SAMPLE)


@pytest.mark.slow
def test_every_token() -> None:
    check(CELLS)


def prompt(client: str, how: Literal["rst", "fin", "end"], after: int, *, always: bool) -> str:
    cut = Script(text=TEXT, faults=(CutOff(how=how, after_tokens=after),))
    scripts = (cut,) if always else (cut, Script(text=TEXT))
    return f"{client} {how} {after} {directive(*scripts)}"


def heard_by_openai(server: Server, model: str, said: str) -> tuple[str, bool]:
    client = openai.OpenAI(
        base_url=f"{server.base}/v1", api_key=KEY, max_retries=0, timeout=WATCHDOG_S
    )
    text = ""
    try:
        with client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": said}], stream=True
        ) as stream:
            for chunk in stream:
                text += chunk.choices[0].delta.content or "" if chunk.choices else ""
    except openai.APIError:
        return text, False
    finally:
        client.close()
    return text, True


def heard_by_anthropic(server: Server, model: str, said: str) -> tuple[str, bool]:
    client = anthropic.Anthropic(
        base_url=server.base, api_key=KEY, max_retries=0, timeout=WATCHDOG_S
    )
    text = ""
    try:
        with client.messages.stream(
            model=model, max_tokens=1000, messages=[{"role": "user", "content": said}]
        ) as stream:
            for piece in stream.text_stream:
                text += piece
    except anthropic.APIError:
        return text, False
    finally:
        client.close()
    return text, True


def hear(client: str, server: Server, cell: Cell) -> None:
    """Have one client ask until each way of leaving has been met."""
    heard = CLIENTS[client]
    for how in HOWS:
        for after in (0, 3, 9):
            said = prompt(f"{client} {cell.route}", how, after, always=False)
            assert heard(server, cell.route, said) == (TEXT, True)
        said = prompt(f"{client} {cell.route}", how, 2, always=True)
        text, whole = heard(server, cell.route, said)
        assert not whole
        assert TEXT.startswith(text)


def test_official_clients_get_all_of_it_or_an_error() -> None:
    planned = CELLS[:4]  # of both dialects
    with (
        fake_provider(seed=3, key="sk-of-the-kills", models=table.MODELS) as provider,
        table.cartrita(provider, planned) as server,
    ):
        for client in CLIENTS:
            for cell in planned:
                hear(client, server, cell)


CLIENTS = {"openai": heard_by_openai, "anthropic": heard_by_anthropic}
