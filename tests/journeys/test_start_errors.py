"""Errors at start: one line that says what to do, an exit code, no process left."""

import re
import socket
import subprocess
from collections.abc import Iterator, Mapping

import pytest
from tests.harness import processes
from tests.harness.command import PROGRAM
from tests.harness.raw_http import HOST
from tests.harness.server import Server, free_port

PASSWORD = "canary-5d1f07-never-to-be-seen"
WATCHDOG_S = 120.0


@pytest.fixture
def fresh() -> Iterator[Server]:
    """The place and the settings of a server that has not been started."""
    server = Server(provider_url="http://127.0.0.1:9/v1", settings={"CARTRITA_LOG_LEVEL": "error"})
    yield server
    assert processes.wait_gone(server.data_dir, 60) == []


def refusal(
    server: Server, *command: str, code: int, settings: Mapping[str, str] | None = None
) -> str:
    """Run a command of this server's; its only line of complaint."""
    done = subprocess.run(
        [PROGRAM, *(command or ("serve",))],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=server.root,
        env={**server.environment, "CARTRITA_LOG_LEVEL": "error", **(settings or {})},
        timeout=WATCHDOG_S,
    )
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("cartrita: ")
    assert PASSWORD not in line
    return line


@pytest.mark.parametrize("database", ["embedded", "own"])
def test_data_directory_in_use(quiet_server: Server, database: str) -> None:
    before = quiet_server.tree
    settings = {"CARTRITA_DATABASE_URL": quiet_server.dsn} if database == "own" else {}
    line = refusal(quiet_server, code=2, settings=settings)
    assert f"in use by process {before.parent}" in line
    after = quiet_server.tree  # whose `cluster` may have another backend by now
    assert (after.parent, after.workers, after.postmaster) == (
        before.parent,
        before.workers,
        before.postmaster,
    )
    assert quiet_server.ready()


def test_port_in_use(fresh: Server) -> None:
    with socket.socket() as other:
        other.bind((HOST, fresh.port))
        other.listen()
        assert f"{HOST} port {fresh.port}" in refusal(fresh, code=1)
    assert not (fresh.data_dir / "postgres").exists()


def test_an_agent_by_the_name_of_another(fresh: Server) -> None:
    (fresh.root / "cartrita.toml").write_text('[agents.assistant]\nroute = "code"\n')
    settings = {"CARTRITA_DATABASE_URL": f"postgresql://ada@{HOST}:9/ada"}
    assert "[agents.supervisor]" in refusal(fresh, code=1, settings=settings)


def test_an_agent_with_a_prompt_and_nothing_to_start_with(fresh: Server) -> None:
    table = '[agents.lawyer]\ninstructions_prompt = { name = "lawyer" }\n'
    (fresh.root / "cartrita.toml").write_text(table)
    settings = {
        "CARTRITA_DATABASE_URL": f"postgresql://ada@{HOST}:9/ada",
        "LANGFUSE_PUBLIC_KEY": "pk-lf-1",
        "LANGFUSE_SECRET_KEY": "sk-lf-1",
    }
    assert "instructions_file" in refusal(fresh, code=1, settings=settings)


def test_prices_that_cannot_be_reckoned_with(fresh: Server) -> None:
    file = fresh.root / "prices.toml"
    settings = {
        "CARTRITA_DATABASE_URL": f"postgresql://ada@{HOST}:9/ada",
        "CARTRITA_LEDGER_PRICES": file.name,
    }
    assert "no such file" in refusal(fresh, code=1, settings=settings)
    row = 'provider = "p"\nmodel = "m"\nchecked = 2026-11-28\nsource = "-"\noutput = 1\n'
    file.write_text(f"[[prices]]\n{row}input = nan\n")
    line = refusal(fresh, code=1, settings=settings)
    assert "ledger.prices: prices.toml" in line
    assert "input of [[prices]] row 1 is NaN: write US dollars" in line


def test_a_log_file_that_cannot_be_opened(fresh: Server) -> None:
    settings = {"CARTRITA_LOG_FILE": str(fresh.root / "nowhere" / "a.log")}
    assert "CARTRITA_LOG_FILE" in refusal(fresh, code=1, settings=settings)
    assert not fresh.data_dir.exists()


@pytest.mark.parametrize("command", ["serve", "login", "migrate", "keys list"])
def test_unreachable_database(fresh: Server, command: str) -> None:
    url = f"postgresql://ada:{PASSWORD}@{HOST}:{free_port()}/ada"
    line = refusal(fresh, *command.split(), code=1, settings={"CARTRITA_DATABASE_URL": url})
    assert "CARTRITA_DATABASE_URL" in line
    assert "nothing answers there" in line


@pytest.mark.parametrize("command", ["serve", "login"])
def test_wrong_database_password(fresh: Server, quiet_server: Server, command: str) -> None:
    wrong = re.sub(r"//cartrita:[^@]*@", f"//cartrita:{PASSWORD}@", quiet_server.dsn)
    assert wrong != quiet_server.dsn
    line = refusal(fresh, command, code=1, settings={"CARTRITA_DATABASE_URL": wrong})
    assert "CARTRITA_DATABASE_URL" in line
    assert "refuses this user or this password" in line


@pytest.mark.parametrize("command", ["backup file", "keys list", "login"])
def test_mistyped_data_directory(fresh: Server, command: str) -> None:
    line = refusal(fresh, *command.split(), code=1)
    assert f"no database in {fresh.data_dir}" in line
    assert not (fresh.data_dir / "postgres").exists()


def test_default_model_of_no_provider(fresh: Server) -> None:
    line = refusal(fresh, code=2, settings={"CARTRITA_DEFAULT_MODEL": "nope/x"})
    assert "CARTRITA_DEFAULT_MODEL" in line
    assert "there is no provider 'nope'" in line


def test_speech_of_no_provider(fresh: Server) -> None:
    line = refusal(fresh, code=2, settings={"CARTRITA_VOICE_TRANSCRIBERS": "embedded,nope/x"})
    assert "CARTRITA_VOICE_TRANSCRIBERS" in line
    assert "there is no provider 'nope'" in line


def test_valkey_address_with_unknown_options(fresh: Server) -> None:
    url = f"valkey://:{PASSWORD}@{HOST}:1/0?db={PASSWORD}"
    settings = {"CARTRITA_CACHE_STORE": "valkey", "CARTRITA_VALKEY_URL": url}
    assert "valkey.url has options" in refusal(fresh, code=1, settings=settings)


def test_missing_database(fresh: Server, quiet_server: Server) -> None:
    url = quiet_server.dsn.replace("/cartrita?", "/nowhere?")
    line = refusal(fresh, code=1, settings={"CARTRITA_DATABASE_URL": url})
    assert "no such database" in line


def test_database_url_without_a_user(fresh: Server) -> None:
    settings = {"CARTRITA_DATABASE_URL": f"postgresql://{HOST}:1/ada"}
    assert "names a user and a database" in refusal(fresh, code=1, settings=settings)


def test_unknown_setting(fresh: Server) -> None:
    line = refusal(fresh, code=2, settings={"CARTRITA_WORKRES": "2"})
    assert "did you mean CARTRITA_WORKERS?" in line
    assert not fresh.data_dir.exists()


def test_truncated_secret(fresh: Server) -> None:
    fresh.data_dir.mkdir()
    (fresh.data_dir / "secret").touch()
    line = refusal(fresh, code=1, settings={"CARTRITA_SECRET": ""})
    assert str(fresh.data_dir / "secret") in line
