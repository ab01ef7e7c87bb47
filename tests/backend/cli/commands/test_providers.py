"""`cartrita providers` against a provider process."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harness.fake_provider.launch import FakeProvider, fake_provider

from cartrita.cli.commands.providers import run
from cartrita.cli.errors import CommandError
from cartrita.settings import Settings, load


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with fake_provider(models=["fake-small"]) as running:
        yield running


def settings(tmp_path: Path, **environ: str) -> Settings:
    return load({"CARTRITA_DISCOVER_LOCAL": "0", **environ}, tmp_path)


def test_lists_and_checks(
    fake: FakeProvider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cartrita.toml").write_text(
        f'[providers.own]\nbase_url = "{fake.base_url}?secret=1"\ndefault_model = "fake-small"\n'
    )
    configured = settings(tmp_path, OWN_API_KEY=fake.key)
    run(configured, Namespace(verb="list"))
    assert capsys.readouterr().out == (f"own  openai_chat  {fake.base_url}  with a credential\n")
    run(configured, Namespace(verb="check", name=None, full=False))
    assert capsys.readouterr().out.startswith("own  models  ok  ")
    run(configured, Namespace(verb="check", name="own", full=True))
    said = capsys.readouterr().out
    assert "own  chat_completions stream  ok  " in said
    assert fake.key not in said


def test_a_failed_check_fails_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured = settings(tmp_path, OLLAMA_BASE_URL="http://127.0.0.1:1")
    with pytest.raises(CommandError, match="The test of ollama failed"):
        run(configured, Namespace(verb="check", name=None, full=False))
    said = capsys.readouterr().out
    assert "ollama  models  FAILED" in said
    assert "    Check that the server runs" in said


def test_nothing_is_configured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(settings(tmp_path), Namespace(verb="check", name=None, full=False))
    assert "the offline model answers" in capsys.readouterr().out
