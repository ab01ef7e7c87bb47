"""Providers as the settings name them: a service behind OAuth 2, in each dialect."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.oauth.tokens import CLIENT_ID, CLIENT_SECRET, Terms

from cartrita.adapters.http.client import HttpClient
from cartrita.application.credentials.provider_checks import ProviderChecks
from cartrita.assembly.providers import create_provider_checks, open_providers
from cartrita.settings import load

CLIENT = {"OAUTH_CLIENT_ID": CLIENT_ID, "OAUTH_CLIENT_SECRET": CLIENT_SECRET}


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider(models=["fake-small"], oauth=True) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    running.token_terms(Terms())
    return running


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client


async def checks(
    fake: FakeProvider, http: HttpClient, folder: Path, path: str, **environ: str
) -> ProviderChecks:
    names = {
        "CARTRITA_DISCOVER_LOCAL": "0",
        "LLM_API_URL": f"{fake.root_url}{path}",
        "LLM_MODEL_NAME": "fake-small",
        "OAUTH_TOKEN_URL": fake.token_url,
    }
    settings = load(names | CLIENT | environ, folder)
    return create_provider_checks(settings, await open_providers(settings, http))


def grants(fake: FakeProvider) -> int:
    return sum(exchange.path == "/oauth/token" for exchange in fake.requests())


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1"])
async def test_each_dialect_behind_oauth(
    fake: FakeProvider, http: HttpClient, tmp_path: Path, path: str
) -> None:
    provider = await checks(fake, http, tmp_path, path, OAUTH_SCOPE="llm.read llm.write")
    report = await provider.check("oca", full=True)
    assert report.ok, report
    assert len(report.steps) == 3
    assert grants(fake) == 1


async def test_a_revoked_token_is_replaced(
    fake: FakeProvider, http: HttpClient, tmp_path: Path
) -> None:
    provider = await checks(fake, http, tmp_path, "/v1", OAUTH_CLIENT_AUTH="body")
    assert (await provider.check("oca")).ok
    fake.revoke_tokens()
    assert (await provider.check("oca")).ok
    assert grants(fake) == 2


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"OAUTH_CLIENT_SECRET": "wr0ng-secret"}, "does not know the client"),
        ({"OAUTH_SCOPE": "admin"}, "does not grant the scope"),
    ],
)
async def test_refused_clients_are_told_what_is_wrong(
    fake: FakeProvider, http: HttpClient, tmp_path: Path, environ: dict[str, str], words: str
) -> None:
    provider = await checks(fake, http, tmp_path, "/v1", **environ)
    (step,) = (await provider.check("oca")).steps
    assert step.code == "upstream_auth"
    assert words in step.detail
    assert "wr0ng" not in repr(step)


async def test_a_provider_with_configured_models_is_reached(
    fake: FakeProvider, http: HttpClient, tmp_path: Path
) -> None:
    table = "[providers.own]\nbase_url = '{}'\nmodels = ['one']\n"
    (tmp_path / "cartrita.toml").write_text(table.format("http://127.0.0.1:1/v1"))
    provider = await checks(fake, http, tmp_path, "/v1")
    (step,) = (await provider.check("own")).steps
    assert (step.ok, step.code) == (False, "upstream_unreachable")


async def test_providers_of_one_client_share_its_tokens(
    fake: FakeProvider, http: HttpClient, tmp_path: Path
) -> None:
    table = (
        "[providers.{0}]\nbase_url = '{1}'\n[providers.{0}.oauth]\ntoken_url = '{2}'\n"
        "client_id_env = 'OAUTH_CLIENT_ID'\nclient_secret_env = 'OAUTH_CLIENT_SECRET'\n"
    )
    tables = [table.format(name, fake.base_url, fake.token_url) for name in ("one", "two")]
    (tmp_path / "cartrita.toml").write_text("".join(tables))
    provider = await checks(fake, http, tmp_path, "/v1")
    for name in ("one", "two", "oca"):
        assert (await provider.check(name)).ok
    assert grants(fake) == 1
