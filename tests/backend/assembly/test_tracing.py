"""Traces are off until somebody is to be told, and who is told what is lacking then."""

import sys
from pathlib import Path
from typing import Any

import pytest

from cartrita.assembly import tracing
from cartrita.assembly.tracing import open_tracing
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
