"""Which providers are configured: by variables, API_PROVIDER and custom tables in the file."""

from pathlib import Path

import pytest

from cartrita.adapters.providers.registry import PROVIDERS
from cartrita.kit.secret import Secret
from cartrita.settings import Settings, SettingsError, load


def configured(tmp_path: Path, toml: str = "", **environ: str) -> Settings:
    (tmp_path / "cartrita.toml").write_text(toml)
    return load(environ, tmp_path)


@pytest.mark.parametrize("spec", PROVIDERS.values(), ids=lambda spec: spec.name)
def test_every_provider_has_its_names(spec, tmp_path: Path) -> None:
    for key in spec.key_variables:
        for url in spec.url_variables:
            settings = configured(tmp_path, **{key: "k", url: "http://h:1/x/"})
            (entry,) = settings.providers_by_name.values()
            assert (entry.name, entry.dialect) == (spec.name, spec.dialect)
            assert (entry.base_url, entry.api_key) == ("http://h:1/x", Secret("k"))
    assert f"{spec.name.upper()}_API_KEY" in spec.key_variables
    assert f"{spec.name.upper()}_BASE_URL" in spec.url_variables


def test_a_key_brings_its_provider_at_its_usual_address(tmp_path: Path) -> None:
    providers = configured(tmp_path, OPENAI_API_KEY=" k\n", OLLAMA_API_KEY="o").providers_by_name
    assert list(providers) == ["openai", "ollama"]
    assert providers["openai"].base_url == "https://api.openai.com/v1"
    assert providers["openai"].api_key == Secret("k")
    assert providers["ollama"].base_url == "http://127.0.0.1:11434/v1"


def test_an_address_alone_brings_its_provider_without_a_key(tmp_path: Path) -> None:
    entry = configured(tmp_path, OLLAMA_BASE_URL="http://gpu:11434").providers_by_name["ollama"]
    assert (entry.base_url, entry.api_key) == ("http://gpu:11434/v1", None)


def test_an_endpoint_is_used_as_it_is(tmp_path: Path) -> None:
    url = "https://h/20250519/app/litellm/chat/completions"
    settings = configured(tmp_path, LLM_API_URL=url, LLM_MODEL_NAME="oca/gpt-4.1")
    entry = settings.providers_by_name["oca"]
    assert (entry.base_url, entry.default_model) == (url, "oca/gpt-4.1")


def test_a_key_without_any_address_is_mentioned(tmp_path: Path) -> None:
    settings = configured(tmp_path, OCA_API_KEY="k")
    assert not settings.providers_by_name
    assert settings.warnings == (
        "OCA_API_KEY (environment): there is no address for it; set LLM_API_URL.",
    )


def test_anthropics_key_is_comets_where_api_provider_says_so(tmp_path: Path) -> None:
    names = {"ANTHROPIC_API_KEY": "a", "ANTHROPIC_MODEL": "claude-x"}
    plain = configured(tmp_path, **names).providers_by_name
    assert list(plain) == ["anthropic"]
    assert plain["anthropic"].default_model == "claude-x"

    bent = configured(tmp_path, API_PROVIDER="comet", **names).providers_by_name
    assert list(bent) == ["comet"]
    assert (bent["comet"].api_key, bent["comet"].default_model) == (Secret("a"), "claude-x")
    assert bent["comet"].base_url == "https://api.cometapi.com"

    own = configured(tmp_path, API_PROVIDER="comet", COMET_API_KEY="c", **names)
    assert own.providers_by_name["comet"].api_key == Secret("c")
    assert "anthropic" not in own.providers_by_name


def test_api_provider_may_stand_in_the_file(tmp_path: Path) -> None:
    toml = '[providers]\napi_provider = "comet"\n'
    assert list(configured(tmp_path, toml, ANTHROPIC_API_KEY="a").providers_by_name) == ["comet"]


def test_api_provider_without_a_key_is_mentioned(tmp_path: Path) -> None:
    assert configured(tmp_path, API_PROVIDER="openai").warnings == (
        "API_PROVIDER (environment): openai has no key here, so it is not the default; "
        "set OPENAI_API_KEY.",
    )
    assert configured(tmp_path, API_PROVIDER="ollama").warnings == ()
    assert configured(tmp_path, API_PROVIDER="offline").warnings == ()


def test_a_new_host_is_a_few_lines(tmp_path: Path) -> None:
    toml = """
    [providers.groq]
    base_url = "https://h/openai/v1"
    models = ["large", "small"]
    default_model = "large"
    [providers.two-b]
    base_url = "http://h"
    api_key_env = "SOME_KEY"
    [providers.local]
    base_url = "http://127.0.0.1:9"
    """
    settings = configured(tmp_path, toml, GROQ_API_KEY="g", SOME_KEY="s", API_PROVIDER="groq")
    groq, two, local = settings.providers.entries
    assert (groq.name, groq.dialect, groq.api_key) == ("groq", "openai_chat", Secret("g"))
    assert (groq.models, groq.default_model) == (("large", "small"), "large")
    assert (two.name, two.base_url, two.api_key) == ("two-b", "http://h", Secret("s"))
    assert (local.api_key, local.models) == (None, ())
    assert settings.warnings == ()


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    toml = '[providers.openai]\nbase_url = "http://file/v1"\nmodels = ["m"]\n'
    entry = configured(tmp_path, toml).providers_by_name["openai"]
    assert (entry.base_url, entry.models, entry.api_key) == ("http://file/v1", ("m",), None)
    entry = configured(tmp_path, toml, OPENAI_BASE_URL="http://env/v1").providers_by_name["openai"]
    assert (entry.base_url, entry.models) == ("http://env/v1", ("m",))


def test_a_named_key_that_is_not_set_leaves_the_provider_out(tmp_path: Path) -> None:
    toml = '[providers.groq]\nbase_url = "http://h/v1"\napi_key_env = "GROQ"\n'
    settings = configured(tmp_path, toml)
    assert not settings.providers_by_name
    assert settings.warnings == (
        "providers.groq (cartrita.toml): GROQ is not set, so this provider is left out.",
    )


def test_names_that_the_file_brings_are_not_foreign(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GROQ=k\nGROQ_BASE_URL=http://h\nGROQ_API_KEY=\n")
    toml = '[providers.groq]\nbase_url = "http://h/v1"\napi_key_env = "GROQ"\n'
    settings = configured(tmp_path, toml)
    assert settings.warnings == ()
    assert settings.providers_by_name["groq"].api_key == Secret("k")


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ("[providers.own]", 'own: it has no base_url; write base_url = "https://host/v1".'),
        (
            '[providers.own]\nbase_ur = "http://h"',
            "own.base_ur: there is no such setting; did you mean providers.own.base_url?",
        ),
        (
            '[providers.own]\napi_key = "sk-canary"',
            "own.api_key: there is no such setting; did you mean providers.own.api_key_env?",
        ),
        (
            '[providers.own]\napi_key_env = "sk-canary"',
            "own.api_key_env: it is not a variable's name; the key itself stays out of the file.",
        ),
        (
            '[providers.own]\napi_key_env = "CARTRITA_SECRET"',
            "own.api_key_env: that variable is Cartrita's own; name the provider's.",
        ),
        (
            '[providers.own]\ndialect = "klingon"',
            "own.dialect: 'klingon' is not spoken; "
            "use openai_chat, openai_responses, anthropic_messages.",
        ),
        ("[providers.own]\nbase_url = 5", "own.base_url: 5 is not a text; put it in quotes."),
        (
            '[providers.own]\nbase_url = "ftp://h"',
            "own.base_url: 'ftp://h' is not a web address; write http://host:port/path.",
        ),
        (
            '[providers.own]\nbase_url = "http://h"\nmodels = 3',
            "own.models: 3 is not a list of texts; use commas.",
        ),
        (
            '[providers.own]\nbase_url = "http://h"\ndefault_model = "a b"',
            "own.default_model: 'a b' is empty or holds a space; write one word or remove it.",
        ),
        (
            '[providers.Own]\nbase_url = "http://h"',
            "Own: a provider's name is a small letter and then a-z, 0-9, _ or -.",
        ),
        (
            '[providers.offline]\nbase_url = "http://h"',
            "offline: the name is one of ours; choose another.",
        ),
    ],
)
def test_a_bad_table_is_refused_in_one_line(toml: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        configured(tmp_path, toml)
    place, _, text = line.partition(":")
    assert caught.value.errors == (f"providers.{place} (cartrita.toml):{text}",)


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/chat/completions", "openai_chat"),
        ("/v1/embeddings", "openai_chat"),
        ("/v1/responses", "openai_responses"),
        ("/v1/messages", "anthropic_messages"),
        ("/v1", "openai_chat"),
    ],
)
def test_an_endpoint_tells_the_dialect(path: str, dialect: str, tmp_path: Path) -> None:
    settings = configured(tmp_path, LLM_API_URL=f"http://h{path}")
    assert settings.providers_by_name["oca"].dialect == dialect
    toml = f'[providers.own]\nbase_url = "http://h{path}"\ndialect = "openai_chat"\n'
    assert configured(tmp_path, toml).providers_by_name["own"].dialect == "openai_chat"


OAUTH = """
[providers.company]
base_url = "http://h/v1"
[providers.company.oauth]
token_url = "http://idp/token"
client_id_env = "COMPANY_ID"
client_secret_env = "COMPANY_SECRET"
"""


def test_a_provider_behind_oauth(tmp_path: Path) -> None:
    toml = f'{OAUTH}scope = "a b"\nclient_auth = "body"\n'
    settings = configured(tmp_path, toml, COMPANY_ID="me", COMPANY_SECRET="s")
    oauth = settings.providers_by_name["company"].oauth
    assert oauth is not None
    assert (oauth.token_url, oauth.client_id) == ("http://idp/token", "me")
    assert (oauth.client_secret, oauth.scope, oauth.client_auth) == (Secret("s"), "a b", "body")
    assert settings.warnings == ()
    again = Settings.from_json(settings.reveal_json()).providers_by_name["company"].oauth
    assert again == oauth
    assert "'s'" not in repr(settings)


def test_a_client_without_its_secret_leaves_the_provider_out(tmp_path: Path) -> None:
    settings = configured(tmp_path, OAUTH, COMPANY_ID="me")
    assert not settings.providers_by_name
    assert settings.warnings == (
        "providers.company (cartrita.toml): "
        "COMPANY_SECRET is not set, so this provider is left out.",
    )


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("scop = 'a'", ".scop: there is no such setting; did you mean "),
        ("scope = 5", ".scope: 5 is not a text; put it in quotes."),
    ],
)
def test_a_bad_line_about_a_client_is_refused(line: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        configured(tmp_path, f"{OAUTH}{line}\n", COMPANY_ID="me", COMPANY_SECRET="s")
    (error,) = caught.value.errors
    place, _, reason = text.partition(":")
    assert error.startswith(f"providers.company.oauth{place} (cartrita.toml):{reason}")


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("'x'", "it is a table; write oauth = { token_url = ... }."),
        (
            "{ token_url = 'http://t', client_id_env = 'A' }",
            "it does not work without client_secret_env.",
        ),
        (
            "{ token_url = 'ftp://t', client_id_env = 'A', client_secret_env = 'B' }",
            "'ftp://t' is not a web address; write http://host:port/path.",
        ),
    ],
)
def test_a_bad_client_is_refused(table: str, text: str, tmp_path: Path) -> None:
    toml = f'[providers.own]\nbase_url = "http://h"\noauth = {table}\n'
    with pytest.raises(SettingsError) as caught:
        configured(tmp_path, toml, A="a", B="b")
    assert caught.value.errors == (f"providers.own.oauth (cartrita.toml): {text}",)


def test_a_variable_of_ours_is_no_clients(tmp_path: Path) -> None:
    toml = OAUTH.replace("COMPANY_SECRET", "CARTRITA_SECRET")
    with pytest.raises(SettingsError) as caught:
        configured(tmp_path, toml, COMPANY_ID="me", CARTRITA_SECRET="s" * 40)
    assert "that variable is Cartrita's own" in caught.value.errors[0]
