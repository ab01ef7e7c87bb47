"""Settings: where they come from, which one counts, and what refuses to start in which words."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from cartrita.domain.runs import BusyPolicy
from cartrita.kit.secret import Secret
from cartrita.settings import Settings, SettingsError, environment, load
from cartrita.settings.types import LocalServer, Rate, Rates

CANARY = "canary-71c4e9-never-to-be-seen-anywhere"


def failing(
    environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, object] | None = None
) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(environ, cwd, overrides or {})
    assert str(caught.value) == "\n".join(caught.value.errors)
    return list(caught.value.errors)


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = load({"HOME": "/home/ada"}, tmp_path)
    assert settings == Settings(data_dir=Path("/home/ada/.local/share/cartrita"))
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8000)
    assert settings.warnings == ()
    assert not settings.providers_by_name


def test_each_source_goes_before_the_one_below(tmp_path: Path) -> None:
    def port(environ: Mapping[str, str], **overrides: object) -> int:
        return load(environ, tmp_path, overrides).server.port

    assert port({}) == 8000
    (tmp_path / "cartrita.toml").write_text("[server]\nport = 8001\n")
    assert port({}) == 8001
    (tmp_path / ".env").write_text("CARTRITA_PORT=8002\n")
    assert port({}) == 8002
    assert port({"CARTRITA_PORT": "8003"}) == 8003
    assert port({"CARTRITA_PORT": "8003"}, **{"server.port": 8004}) == 8004
    assert port({"CARTRITA_PORT": "8003"}, **{"server.port": None}) == 8003


def test_an_empty_variable_counts_as_absent(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CARTRITA_PORT=8002\nCARTRITA_HOST=\n")
    settings = load({"CARTRITA_PORT": "  "}, tmp_path)
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8002)


def test_a_bad_value_below_a_good_one_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CARTRITA_PORT=eight\n")
    assert load({"CARTRITA_PORT": "8003"}, tmp_path).server.port == 8003


def test_the_file_may_stand_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "cartrita.toml").write_text("[server]\nport = 8001\n")
    (tmp_path / "mine.toml").write_text("[server]\nport = 8009\n")
    assert load({"CARTRITA_CONFIG": "mine.toml"}, tmp_path).server.port == 8009
    (tmp_path / ".env").write_text(f"CARTRITA_CONFIG={tmp_path / 'mine.toml'}\n")
    assert load({}, tmp_path).server.port == 8009


def test_values_of_every_kind_are_understood_from_text(tmp_path: Path) -> None:
    settings = load(
        {
            "HOME": "/home/ada",
            "CARTRITA_HOST": "[::1]",
            "CARTRITA_DATA_DIR": "~/chat",
            "CARTRITA_AUTH": "loopback",
            "CARTRITA_CORS_ORIGINS": "http://LOCALHOST:3000/, https://a.example:443,",
            "CARTRITA_TRUSTED_PROXIES": "10.0.0.1, 10.1.2.3/8",
            "CARTRITA_DATABASE_URL": "postgres://u:p@h:5/d",
            "CARTRITA_DISCOVER_LOCAL": "off",
            "CARTRITA_DISCOVER_PORTS": "ollama=1, vllm=2",
            "CARTRITA_PROVIDER_LIMITS": "openai=100/minute;github=500/hour",
            "CARTRITA_INBOUND_LIMITS": "off",
            "CARTRITA_RUN_LOG_LEASE_S": "1.5",
            "CARTRITA_RUN_LOG_BUSY": "reject",
            "CARTRITA_VALKEY_URL": "valkey://h:6379/0",
            "CARTRITA_MAX_UPLOAD_BYTES": "1_000_000",
            "CARTRITA_FILES_STORAGE": "s3://files/a/b/",
            "CARTRITA_FILES_TYPES": "image/*, Text/Plain",
            "OPENAI_COMPAT_ENABLE": "true",
            "OPENAI_COMPAT_PORT": "8001",
            "LANGFUSE_HOST": "https://traces.example/",
            "GITHUB_API_KEY": "g",
            "TAVILY_BASE_URL": "https://search.example",
        },
        tmp_path,
    )
    assert settings.server.host == "::1"
    assert settings.server.loopback
    assert settings.data_dir == Path("/home/ada/chat")
    assert settings.server.cors_origins == ("http://localhost:3000", "https://a.example")
    assert settings.server.trusted_proxies == ("10.0.0.1/32", "10.0.0.0/8")
    assert settings.database.url == Secret("postgresql://u:p@h:5/d")
    assert settings.providers.discover_local is False
    assert settings.providers.discover_ports == (
        LocalServer(name="ollama", port=1),
        LocalServer(name="vllm", port=2),
    )
    assert settings.limits.providers.rates == (
        Rate(name="openai", count=100, period_s=60),
        Rate(name="github", count=500, period_s=3600),
    )
    assert settings.limits.inbound == Rates(enabled=False)
    assert settings.run_log.lease_s == 1.5
    assert settings.run_log.busy is BusyPolicy.REJECT
    assert settings.files.max_bytes == 1_000_000
    assert settings.files.storage == "s3://files/a/b"
    assert settings.files.types == ("image/*", "text/plain")
    assert settings.openai_compat.port == 8001
    assert settings.langfuse.host == "https://traces.example"
    assert settings.github.api_key == Secret("g")
    assert settings.github.base_url == "https://api.github.com"
    assert settings.tavily.base_url == "https://search.example"


def test_hosts_are_names_addresses_and_networks(tmp_path: Path) -> None:
    given = "Wiki.example.com, 10.1.2.3,10.1.0.0/16, ::1"
    hosts = load({"CARTRITA_WEB_PRIVATE_HOSTS": given}, tmp_path).web.private_hosts
    assert hosts == ("wiki.example.com", "10.1.2.3/32", "10.1.0.0/16", "::1/128")
    for wrong in ("http://wiki.example.com", "10.1.0.0/40", "*.example.com", "a b"):
        with pytest.raises(SettingsError, match="CARTRITA_WEB_PRIVATE_HOSTS"):
            load({"CARTRITA_WEB_PRIVATE_HOSTS": wrong}, tmp_path)


def test_agents_cannot_search_at_a_server_without_an_address(tmp_path: Path) -> None:
    searxng = {"CARTRITA_SEARCH_PROVIDER": "searxng"}
    with pytest.raises(SettingsError, match="SEARXNG_BASE_URL"):
        load(searxng, tmp_path)
    settings = load({**searxng, "SEARXNG_BASE_URL": "http://127.0.0.1:8888/"}, tmp_path)
    assert settings.searxng.base_url == "http://127.0.0.1:8888"


def test_limits_are_a_text_or_a_table_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "cartrita.toml").write_text(
        '[limits]\nproviders = { openai = "7/second", github = "off" }\ninbound = "off"\n'
    )
    limits = load({}, tmp_path).limits
    assert limits.providers == Rates(
        rates=(Rate(name="openai", count=7, period_s=1),), off=("github",)
    )
    assert limits.inbound == Rates(enabled=False)
    assert load({"CARTRITA_PROVIDER_LIMITS": "openai=7/second;github=off"}, tmp_path) == load(
        {}, tmp_path
    )


@pytest.mark.parametrize("given", ["openai=0/minute", "openai", "openai=off;openai=1/day"])
def test_what_is_no_limit_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError, match="CARTRITA_PROVIDER_LIMITS"):
        load({"CARTRITA_PROVIDER_LIMITS": given}, tmp_path)


def test_lists_and_tables_of_the_file_are_understood(tmp_path: Path) -> None:
    (tmp_path / "cartrita.toml").write_text(
        'data_dir = "d"\n[server]\ncors_origins = ["http://a", "http://a:80", "http://b"]\n'
        "[providers]\ndiscover_ports = { ollama = 4 }\n"
    )
    settings = load({}, tmp_path)
    assert settings.data_dir == tmp_path / "d"
    assert settings.server.cors_origins == ("http://a", "http://b")
    assert settings.providers.discover_ports == (LocalServer(name="ollama", port=4),)


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            {"CARTRITA_PORT": "abc"},
            "'abc' is not a whole number from 0 to 65535; for example 8000.",
        ),
        (
            {"CARTRITA_PORT": "65536"},
            "'65536' is not a whole number from 0 to 65535; for example 8000.",
        ),
        ({"CARTRITA_PORT": "-1"}, "'-1' is not a whole number from 0 to 65535; for example 8000."),
        (
            {"CARTRITA_SERVER_DRAIN_S": "nan"},
            "'nan' is not a number of seconds from 0 to 600; for example 25.",
        ),
        (
            {"CARTRITA_SERVER_BODY_MAX_BYTES": "2MB"},
            "'2MB' is not a number of bytes from 1024 to 1073741824; for example 2097152.",
        ),
        ({"CARTRITA_DISCOVER_LOCAL": "maybe"}, "'maybe' is not 1 or 0; for example 1."),
        ({"CARTRITA_AUTH": "none"}, "'none' is not one of keys, loopback; for example keys."),
        (
            {"CARTRITA_RUN_LOG_BUSY": "wait"},
            "'wait' is not one of enqueue, reject, interrupt; for example enqueue.",
        ),
        (
            {"CARTRITA_HOST": "localhost:8000"},
            "'localhost:8000' is not a host name or address; write it without port or scheme.",
        ),
        (
            {"CARTRITA_CORS_ORIGINS": "*"},
            "'*' would let every page in; list the origins of your own frontends.",
        ),
        (
            {"CARTRITA_CORS_ORIGINS": "localhost"},
            "'localhost' is not an origin; write scheme://host:port.",
        ),
        (
            {"CARTRITA_CORS_ORIGINS": "http://a/b"},
            "'http://a/b' is more than an origin; write scheme://host:port alone.",
        ),
        (
            {"CARTRITA_TRUSTED_PROXIES": "proxy"},
            "'proxy' is not an address or network; write 10.0.0.0/8.",
        ),
        (
            {"CARTRITA_DATABASE_URL": f"mysql://u:{CANARY}@h/d"},
            "it is not a PostgreSQL address that names a database; "
            "write postgresql://user:password@host:5432/database.",
        ),
        (
            {"CARTRITA_DATABASE_URL": f"postgresql://u:{CANARY}@h:port/d"},
            "it is not a PostgreSQL address that names a database; "
            "write postgresql://user:password@host:5432/database.",
        ),
        (
            {"CARTRITA_VALKEY_URL": f"http://:{CANARY}@h"},
            "it is not the address of a Valkey server; write valkey://host:6379/0.",
        ),
        (
            {"CARTRITA_BOOTSTRAP_KEY": "canary"},
            "it has 6 characters and needs at least 32; make one with "
            'python3 -c "import secrets; print(secrets.token_urlsafe(32))".',
        ),
        (
            {"CARTRITA_SECRET": "canary"},
            "it has 6 characters and needs at least 32; make one with "
            'python3 -c "import secrets; print(secrets.token_urlsafe(32))".',
        ),
        (
            {"OPENAI_API_KEY": f"{CANARY}\u2026"},
            "it is empty or holds what no HTTP header can carry; paste it again.",
        ),
        (
            {"OPENAI_BASE_URL": "api.example.com"},
            "'api.example.com' is not a web address; write http://host:port/path.",
        ),
        (
            {"OPENAI_BASE_URL": f"https://u:{CANARY}@h/v1"},
            "the address holds a user or password; put the key into its own variable.",
        ),
        (
            {"OPENAI_BASE_URL": "https://h/v1#x"},
            "'https://h/v1#x' has no host or has a fragment; write http://host:port/path.",
        ),
        (
            {"CARTRITA_DEFAULT_MODEL": "a b"},
            "'a b' is empty or holds a space; write one word or remove it.",
        ),
        (
            {"CARTRITA_PROVIDER_LIMITS": "openai=3/week"},
            "'openai=3/week' is not a limit; write off or openai=100/minute;github=500/hour.",
        ),
        (
            {"CARTRITA_INBOUND_LIMITS": "a=3/day;a=4/day"},
            "'a' stands there more than once; keep one of them.",
        ),
        (
            {"CARTRITA_DISCOVER_PORTS": "olama=1"},
            "'olama' is not a server that can be looked for; "
            "known are ollama, lmstudio, llamacpp, vllm, litellm.",
        ),
        (
            {"CARTRITA_DISCOVER_PORTS": "ollama=70000"},
            "'ollama=70000' has no port from 1 to 65535; write ollama=8080.",
        ),
        (
            {"CARTRITA_OFFLINE_SCRIPT": "no.yaml"},
            "there is no such file; correct or remove it.",
        ),
        (
            {"CARTRITA_CONFIG": "no.toml"},
            "the file cannot be read: no such file or directory; correct that.",
        ),
        (
            {"CARTRITA_FILES_STORAGE": "files"},
            "'files' is no place for files; write an absolute path, or s3://bucket/prefix.",
        ),
        (
            {"CARTRITA_FILES_STORAGE": "s3://B"},
            "'s3://B' is no place for files; write an absolute path, or s3://bucket/prefix.",
        ),
        (
            {"CARTRITA_FILES_TYPES": "image/png,images"},
            "'images' is not a media type; write image/png or image/*.",
        ),
        (
            {"CARTRITA_FILES_S3_ACCESS_KEY_ID": "id"},
            "a key of S3 has two parts; set both or neither.",
        ),
        (
            {"CARTRITA_CACHE_STORE": "valkey"},
            "valkey has no address here; set CARTRITA_VALKEY_URL.",
        ),
        ({"CARTRITA_FILES_EMBEDDINGS_MODEL": "ada"}, "'ada' is not provider/model."),
        ({"CARTRITA_FILES_EMBEDDINGS_MODEL": "local/x"}, "only local/all-minilm-l6-v2 is local."),
        ({"API_PROVIDER": "commet"}, "'commet' is not a provider; did you mean comet?"),
        ({"CARTRITA_PROT": "1"}, "there is no such setting; did you mean CARTRITA_PORT?"),
        (
            {"CARTRITA_LEASE_S": "1"},
            "there is no such setting; did you mean CARTRITA_RUN_LOG_LEASE_S?",
        ),
        (
            {"CARTRITA_OPENAI_API_KEY": CANARY},
            "there is no such setting; did you mean OPENAI_API_KEY?",
        ),
        (
            {"CARTRITA_XYZZY": CANARY},
            "there is no such setting; remove it, docs/configuration.md lists all.",
        ),
    ],
)
def test_a_bad_variable_is_refused_in_one_line(
    environ: dict[str, str], line: str, tmp_path: Path
) -> None:
    (name,) = environ
    assert failing(environ, tmp_path) == [f"{name} (environment): {line}"]
    (tmp_path / ".env").write_text(f"{name}='{environ[name]}'\n")
    assert failing({}, tmp_path) == [f"{name} (.env): {line}"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("port = 1", "port (cartrita.toml): there is no such setting; did you mean server.port?"),
        (
            "[server]\nprot = 1",
            "server.prot (cartrita.toml): there is no such setting; did you mean server.port?",
        ),
        (
            "[sever]\nport = 1",
            "sever (cartrita.toml): there is no such setting; did you mean server?",
        ),
        (
            "[plugh]\nport = 1",
            "plugh (cartrita.toml): there is no such setting; "
            "remove it, docs/configuration.md lists all.",
        ),
        (
            "server = 5",
            "server (cartrita.toml): it is a table of settings; "
            "write [server] and its settings below.",
        ),
        (
            "[server]\nport = true",
            "server.port (cartrita.toml): true is not a whole number from 0 to 65535; "
            "for example 8000.",
        ),
        (
            "[openai_compat]\nport = true",
            "openai_compat.port (cartrita.toml): true is not a whole number from 0 to 65535; "
            "for example 8001.",
        ),
        (
            "[server]\nport = 1.5",
            "server.port (cartrita.toml): 1.5 is not a whole number from 0 to 65535; "
            "for example 8000.",
        ),
        (
            "[server]\nport = [1]",
            "server.port (cartrita.toml): a list is not a whole number from 0 to 65535; "
            "for example 8000.",
        ),
        (
            "[server.port]\na = 1",
            "server.port (cartrita.toml): a table is not a whole number from 0 to 65535; "
            "for example 8000.",
        ),
        (
            "[server]\nhost = 5",
            "server.host (cartrita.toml): 5 is not a host name or address; for example 127.0.0.1.",
        ),
        (
            "[offline]\nscript = 5",
            "offline.script (cartrita.toml): 5 is not a path; for example script.yaml.",
        ),
        (
            "[server]\ncors_origins = [5]",
            "server.cors_origins (cartrita.toml): a list is not a list of texts; use commas.",
        ),
        (
            "[auth]\nsecret = 5",
            "auth.secret (cartrita.toml): it is not a text; put it in quotes.",
        ),
        (
            "[server",
            "cartrita.toml (file): it is not TOML; correct it: "
            "Expected ']' at the end of a table declaration (at end of document).",
        ),
    ],
)
def test_a_bad_file_is_refused_in_one_line(text: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "cartrita.toml").write_text(text)
    assert failing({}, tmp_path) == [line]


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cartrita.toml").write_bytes(b"\xff\xfe")
    (tmp_path / ".env").write_bytes(b"CARTRITA_PORT=\xff\n")
    assert failing({}, tmp_path) == [
        ".env (file): the file is not UTF-8 text; save it as UTF-8.",
        "cartrita.toml (file): the file is not UTF-8 text; save it as UTF-8.",
    ]


def test_a_directory_in_the_files_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cartrita.toml").mkdir()
    assert failing({}, tmp_path) == [
        "cartrita.toml (file): the file cannot be read: is a directory; correct that."
    ]


def test_an_unknown_override_is_refused(tmp_path: Path) -> None:
    assert failing({}, tmp_path, {"server.prot": 1}) == [
        "server.prot (command line): there is no such setting; did you mean server.port?"
    ]


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        (
            {"CARTRITA_AUTH": "loopback", "CARTRITA_HOST": "0.0.0.0"},
            "CARTRITA_AUTH (environment): loopback asks no key, and server.host '0.0.0.0' "
            "is open to the network; bind 127.0.0.1 or use keys.",
        ),
        (
            {"CARTRITA_SERVER_EXIT_S": "20"},
            "CARTRITA_SERVER_EXIT_S (environment): draining for 25 s leaves no time to exit after "
            "20 s; make server.exit_s larger than server.drain_s.",
        ),
        (
            {"CARTRITA_RUN_LOG_LEASE_S": "0.5"},
            "CARTRITA_RUN_LOG_LEASE_S (environment): polling every 0.5 s is too slow for a lease "
            "of 0.5 s; make run_log.poll_s smaller than run_log.lease_s.",
        ),
        (
            {"LLM_API_URL": "http://h/chat/completions", "OAUTH_CLIENT_ID": "me"},
            "OAUTH_CLIENT_ID (environment): it does not work alone; "
            "set OAUTH_TOKEN_URL, OAUTH_CLIENT_SECRET too.",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    environ: dict[str, str], line: str, tmp_path: Path
) -> None:
    assert failing(environ, tmp_path) == [line]


def test_oauth_names_without_its_service_are_somebody_elses(tmp_path: Path) -> None:
    assert load({"OAUTH_CLIENT_ID": "me"}, tmp_path).oauth.client_id == "me"


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CARTRITA_PROT=1\nthis is no line\nCARTRITA_WORKERS=0\n")
    (tmp_path / "cartrita.toml").write_text(
        '[server]\nbanana = 1\nkeepalive_s = "x"\n[providers.own]\ndialect = "klingon"\n'
    )
    environ = {
        "CARTRITA_PORT": "abc",
        "CARTRITA_AUTH": "loopback",
        "CARTRITA_HOST": "0.0.0.0",
        "CARTRITA_YES": "1",
        "OPENAI_BASE_URL": "nowhere",
    }
    lines = failing(environ, tmp_path, {"run_log.lease_s": 0})
    assert sorted(line.partition(":")[0] for line in lines) == [
        "CARTRITA_AUTH (environment)",
        "CARTRITA_PORT (environment)",
        "CARTRITA_PROT (.env)",
        "CARTRITA_WORKERS (.env)",
        "CARTRITA_YES (environment)",
        "OPENAI_BASE_URL (environment)",
        "line 2 (.env)",
        "providers.own.dialect (cartrita.toml)",
        "run_log.lease_s (command line)",
        "server.banana (cartrita.toml)",
        "server.keepalive_s (cartrita.toml)",
    ]
    assert all("\n" not in line for line in lines)


def test_foreign_names_in_a_dotenv_are_only_mentioned(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        f"# ours and others'\nexport CARTRITA_PORT=8002 # here\nPOSTGRES_PASSWORD={CANARY}\n"
        f"OPENAI_API_KY={CANARY}\nCOMET_API_KEY='k'\n"
    )
    settings = load({"LESSOPEN": "x"}, tmp_path)
    assert settings.server.port == 8002
    assert settings.warnings == (
        "POSTGRES_PASSWORD (.env): it is ignored, nothing reads it.",
        "OPENAI_API_KY (.env): it is ignored; did you mean OPENAI_API_KEY?",
    )


def test_what_has_no_effect_alone_is_mentioned(tmp_path: Path) -> None:
    environ = {
        "CARTRITA_VALKEY_URL": f"valkey://:{CANARY}@h",
        "CARTRITA_PROVIDER_LIMITS": "off",
        "LANGFUSE_SECRET_KEY": CANARY,
    }
    assert load(environ, tmp_path).warnings == (
        "CARTRITA_VALKEY_URL (environment): nothing is kept there; "
        "set CARTRITA_CACHE_STORE=valkey.",
        "LANGFUSE_SECRET_KEY (environment): no traces are sent with one key; "
        "set LANGFUSE_PUBLIC_KEY too.",
    )


def test_a_dotenv_is_taken_as_it_stands(tmp_path: Path) -> None:
    key = "$HOME-and-${PATH}-are-part-of-this-key"
    (tmp_path / ".env").write_text(f"CARTRITA_BOOTSTRAP_KEY={key}\n", encoding="utf-8-sig")
    assert load({"HOME": "/h"}, tmp_path).auth.bootstrap_key == Secret(key)


def test_a_long_value_is_not_repeated(tmp_path: Path) -> None:
    (line,) = failing({"CARTRITA_PORT": CANARY}, tmp_path)
    assert line == (
        "CARTRITA_PORT (environment): a value of 39 characters is not "
        "a whole number from 0 to 65535; for example 8000."
    )


SECRETS = {
    "CARTRITA_SECRET": f"{CANARY}-1",
    "CARTRITA_BOOTSTRAP_KEY": f"{CANARY}-2",
    "CARTRITA_DATABASE_URL": f"postgresql://u:{CANARY}-3@h/d",
    "CARTRITA_VALKEY_URL": f"valkey://:{CANARY}-4@h",
    "OPENAI_API_KEY": f"{CANARY}-5",
    "LANGFUSE_SECRET_KEY": f"{CANARY}-6",
    "LLM_API_URL": "http://h/v1",
    "OAUTH_TOKEN_URL": "http://h/token",
    "OAUTH_CLIENT_ID": "me",
    "OAUTH_CLIENT_SECRET": f"{CANARY}-7",
}


def test_secrets_are_shown_nowhere(tmp_path: Path) -> None:
    settings = load(SECRETS, tmp_path)
    assert CANARY not in f"{settings}{settings!r}{settings.model_dump()}"
    assert CANARY not in settings.model_dump_json()
    assert CANARY not in json.dumps(settings.model_dump(mode="json"), default=str)
    assert settings.model_dump()["auth"]["secret"] == "***"
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(settings)


def test_a_secret_may_come_wrapped(tmp_path: Path) -> None:
    key = Secret(CANARY)
    assert load({}, tmp_path, {"auth.bootstrap_key": key}).auth.bootstrap_key == key


def test_secrets_are_in_no_error(tmp_path: Path) -> None:
    (tmp_path / "cartrita.toml").write_text(f'[auth]\nsecert = "{CANARY}"\nmode = "{CANARY}"\n')
    broken = {name: f"{value}\n\u2026" for name, value in SECRETS.items() if CANARY in value}
    broken |= {"CARTRITA_DATABASE_URL": f"postgresql://u:{CANARY}@h"}
    assert CANARY not in "\n".join(failing(broken, tmp_path))
    with pytest.raises(ValidationError) as caught:
        Settings.from_json(json.dumps({"data_dir": "/d", "auth": {"secret": CANARY[:20]}}))
    assert "canary" not in str(caught.value)


def test_a_worker_gets_what_the_parent_read_secrets_included(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FOREIGN=1\n")
    environ = {**SECRETS, "CARTRITA_INBOUND_LIMITS": "a=1/day", "OFFLINE": "", "HOME": "/h"}
    settings = load(environ, tmp_path)
    revealed = settings.reveal_json()
    assert all(f"{CANARY}-{number}" in revealed for number in range(1, 8))
    assert Settings.from_json(revealed) == settings


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load({}, tmp_path)
    with pytest.raises(ValidationError):
        settings.server.port = 1
    with pytest.raises(TypeError):
        settings.providers_by_name["x"] = None  # type: ignore[index]


def test_the_environment_is_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARTRITA_PORT", "1")
    before = environment()
    monkeypatch.setenv("CARTRITA_PORT", "2")
    assert before["CARTRITA_PORT"] == "1"
