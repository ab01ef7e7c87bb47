"""The servers of tools of the file: what is read, what is passed on, and what is refused."""

import sys
from pathlib import Path

import pytest

from cartrita.settings.errors import SettingsError
from cartrita.settings.loader import load
from cartrita.settings.settings import Settings


def loaded(folder: Path, text: str, **environment: str) -> Settings:
    (folder / "cartrita.toml").write_text(text)
    return load({"HOME": str(folder), "PATH": "/bin", **environment}, folder)


def test_a_table_is_a_program_or_an_address(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """
        [mcp]
        private_hosts = ["tools.test"]
        [mcp.garden]
        command = ["garden", "--serve"]
        cwd = "~/garden"
        env = { SEASON = "spring" }
        pass_env = ["GARDEN_KEY", "HOME"]
        read = ["get_*"]
        [mcp.rain]
        url = "http://tools.test:9000/mcp"
        token_env = "RAIN_TOKEN"
        headers = { X-Field = "west" }
        tools = ["fall"]
        timeout_s = 5
        """,
        GARDEN_KEY="green",
        RAIN_TOKEN="wet",
    )
    garden, rain = settings.mcp.entries
    assert (garden.name, garden.command) == ("garden", ("garden", "--serve"))
    assert garden.cwd == tmp_path / "garden"
    assert {name: value.reveal() for name, value in garden.env.items()} == {
        "PATH": "/bin",
        "GARDEN_KEY": "green",
        "HOME": str(tmp_path),
        "SEASON": "spring",
    }
    assert (garden.tools, garden.read) == (("*",), ("get_*",))
    assert (rain.url, rain.tools, rain.timeout_s) == ("http://tools.test:9000/mcp", ("fall",), 5)
    assert {name: value.reveal() for name, value in rain.headers.items()} == {
        "Authorization": "Bearer wet",
        "X-Field": "west",
    }
    assert "green" not in repr(settings)
    assert "wet" not in repr(settings)
    assert Settings.from_json(settings.reveal_json()).mcp == settings.mcp


def test_a_variable_that_is_not_set_is_told(tmp_path: Path) -> None:
    settings = loaded(tmp_path, '[mcp.a]\ncommand = ["a"]\npass_env = ["NOWHERE"]')
    assert settings.warnings == ("mcp.a.pass_env (cartrita.toml): NOWHERE is not set.",)


def test_a_server_without_its_token_is_left_out(tmp_path: Path) -> None:
    settings = loaded(tmp_path, '[mcp.a]\nurl = "https://a.test"\ntoken_env = "NOWHERE"')
    assert settings.mcp.entries == ()
    (told,) = settings.warnings
    assert told.startswith("mcp.a.token_env (cartrita.toml): 'NOWHERE' is not set, so this server")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[mcp.a]", "give it a command or a url, and not both"),
        ('[mcp.a]\ncommand = ["a"]\nurl = "https://a.test"', "and not both"),
        ("[mcp.a]\ncommand = []", "mcp.a.command"),
        ('[mcp.a]\ncommand = "a b"', "mcp.a.command"),
        ('[mcp.a]\ncommand = ["a"]\nheaders = { A = "b" }', "headers and token_env are of a url"),
        ('[mcp.a]\nurl = "https://a.test"\nenv = { A = "b" }', "are of a command"),
        ('[mcp.a]\nurl = "https://a.test"\nheaders = { A = "b\\nc" }', "mcp.a.headers.A"),
        ('[mcp.a]\nurl = "https://u:pw@a.test"', "mcp.a.url"),
        ('[mcp.a]\nurl = "http://a.test"', "a has a url without encryption"),
        ('[mcp.a]\nurl = "https://a.test"\ntoken_env = "CARTRITA_SECRET"', "not the name of"),
        ('[mcp.a]\ncommand = ["a"]\npass_env = ["CARTRITA_SECRET"]', "Cartrita's own"),
        ('[mcp.a]\ncommand = ["a"]\npass_env = "A"', "no list of names"),
        ('[mcp.a]\ncommand = ["a"]\npass_env = [1]', "no list of names"),
        ('[mcp.a_b]\ncommand = ["a"]', "mcp.a_b.name"),
        ('[mcp.a]\ncommand = ["a"]\ncolour = 1', "mcp.a.colour"),
        ('[mcp.a]\ncommand = ["a"]\ntimeout_s = 0', "mcp.a.timeout_s"),
        ("[mcp]\ncommand = 1", "mcp.command"),
        ("mcp = 1", "mcp"),
    ],
)
def test_what_is_refused(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path, table)
    (line,) = str(refused.value).splitlines()
    assert told in line


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost", "[::1]:80", "10.1.2.3"])
def test_an_address_needs_no_encryption(tmp_path: Path, host: str) -> None:
    settings = loaded(tmp_path, f'[mcp.a]\nurl = "http://{host}/mcp"')
    assert settings.mcp.entries[0].url == f"http://{host}/mcp"


def test_without_the_extra_it_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(SettingsError, match=r"uv pip install .* -e 'backend\[mcp\]'"):
        loaded(tmp_path, '[mcp.a]\ncommand = ["a"]')
    assert loaded(tmp_path, "").mcp.entries == ()


def test_no_variable_of_the_environment_makes_a_server(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CARTRITA_MCP_A_COMMAND"):
        loaded(tmp_path, "", CARTRITA_MCP_A_COMMAND="a")
