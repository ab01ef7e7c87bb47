"""Traces are off until somebody is to be told, and who is told what is lacking then."""

import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cartrita.adapters.tracing.tracers import Traces
from cartrita.assembly import tracing
from cartrita.assembly.tracing import open_tracing, trace_links
from cartrita.domain.ids import RunId
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import load

KEYS = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-1"}


@pytest.mark.parametrize("environ", [{}, {**KEYS, "CARTRITA_TRACING_SAMPLE": "0"}], ids=str)
async def test_nothing_is_loaded_where_nothing_is_sent(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "langfuse", None)
    async with open_tracing(load(environ, tmp_path)) as tracer:
        assert tracer is None


async def test_an_extra_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name}", name="langfuse")

    monkeypatch.setattr(tracing, "import_module", missing)
    with pytest.raises(OperatorError, match=r"langfuse is not installed: pip install 'cartrita\["):
        async with open_tracing(load(KEYS, tmp_path)):
            pass


def test_every_secret_of_the_settings_is_known(tmp_path: Path) -> None:
    (tmp_path / "cartrita.toml").write_text(
        '[providers.mine]\ndialect = "openai_chat"\n'
        'base_url = "http://h/v1"\napi_key_env = "MINE"\n'
    )
    environ = {
        **KEYS,
        "OPENAI_API_KEY": "sk-of-openai",
        "CARTRITA_SECRET": "s" * 40,
        "MINE": "of-mine",
    }
    found = {one.reveal() for one in tracing._secrets(load(environ, tmp_path))}
    assert {"sk-lf-1", "sk-of-openai", "s" * 40, "of-mine"} <= found


@pytest.mark.parametrize(
    ("environ", "linked"),
    [
        ({}, False),
        ({"CARTRITA_TRACING_LINK": "https://x.example/{trace_id}"}, True),
        ({"CARTRITA_TRACING_LINK": "https://x.example/{trace_id}", "SAMPLED": "no"}, False),
    ],
    ids=str,
)
def test_what_has_a_trace_is_linked(tmp_path: Path, environ: dict[str, str], linked: bool) -> None:
    run = RunId(UUID(int=7))
    traces = Traces([], 0.0 if environ.pop("SAMPLED", "") else 1.0, keeps_contents=True)
    link = trace_links(load(environ, tmp_path), traces)
    assert link(run) == (f"https://x.example/{run.hex}" if linked else None)
    assert trace_links(load(environ, tmp_path), None)(run) is None
