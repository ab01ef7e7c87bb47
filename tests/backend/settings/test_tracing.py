"""Where traces are sent, as the settings say."""

from pathlib import Path

import pytest

from cartrita.kit.secret import Secret
from cartrita.settings import SettingsError, load


def test_langfuse_is_where_the_newer_name_says(tmp_path: Path) -> None:
    keys = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-1"}
    assert load(keys, tmp_path).langfuse.address == "https://cloud.langfuse.com"
    keys["LANGFUSE_HOST"] = "https://older.example"
    assert load(keys, tmp_path).langfuse.address == "https://older.example"
    keys["LANGFUSE_BASE_URL"] = "https://newer.example"
    settings = load(keys, tmp_path)
    assert settings.langfuse.address == "https://newer.example"
    assert settings.langfuse.keys == ("pk-lf-1", Secret("sk-lf-1"))
    assert settings.warnings == ()
    assert load({"LANGFUSE_PUBLIC_KEY": "pk-lf-1"}, tmp_path).langfuse.keys is None


@pytest.mark.parametrize("name", ["Production", "langfuse-tests", "x" * 41])
def test_an_environment_is_one_that_langfuse_takes(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="no environment of Langfuse"):
        load({"LANGFUSE_TRACING_ENVIRONMENT": name}, tmp_path)


@pytest.mark.parametrize("link", ["https://x.example/traces", "x.example/{trace_id}"])
def test_a_link_has_an_address_and_the_id_of_a_trace(tmp_path: Path, link: str) -> None:
    with pytest.raises(SettingsError, match=r"trace_id\}|web address"):
        load({"CARTRITA_TRACING_LINK": link}, tmp_path)
