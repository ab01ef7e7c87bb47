"""Routes are tables of the file; what is wrong in one is told with its place."""

from pathlib import Path

import pytest

from cartrita.settings import Settings, SettingsError, load
from cartrita.settings.routes import ConfiguredRoute, ConfiguredTarget


def configured(tmp_path: Path, toml: str) -> Settings:
    (tmp_path / "cartrita.toml").write_text(toml)
    return load({}, tmp_path)


def test_a_route_with_everything(tmp_path: Path) -> None:
    toml = """
[routes]
attempts = 5

[routes.fast]
deployments = [{ model = "openai/gpt-5.4-mini", weight = 2 }, { model = "vllm" }, "ollama/a:8b"]
continue_with = "any"
cache_ttl_s = 60
"""
    routes = configured(tmp_path, toml).routes
    assert routes.attempts == 5
    assert routes.entries == (
        ConfiguredRoute(
            name="fast",
            deployments=(
                ConfiguredTarget(model="openai/gpt-5.4-mini", weight=2),
                ConfiguredTarget(model="vllm"),
                ConfiguredTarget(model="ollama/a:8b"),
            ),
            continue_with="any",
            cache_ttl_s=60,
        ),
    )


def test_it_reaches_the_workers(tmp_path: Path) -> None:
    settings = configured(tmp_path, '[routes.a]\ndeployments = ["openai/x"]')
    assert Settings.from_json(settings.reveal_json()).routes == settings.routes


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[routes.a]", "routes.a.deployments (cartrita.toml): it is not a list of deployments"),
        ("[routes.a]\ndeployments = []", "it is not a list of deployments"),
        ('[routes.a]\ndeployments = ["openai/x", 5]', "routes.a.deployments[1]"),
        ('[routes.a]\ndeployments = ["/x"]', "is not provider/model"),
        ("[routes.a]\ndeployments = [{ weight = 2 }]", "routes.a.deployments[0].model"),
        ('[routes.a]\ndeployments = [{ model = "a/b", weight = 0 }]', "from 1 to 1000"),
        ('[routes.a]\ndeployments = [{ model = "a/b", weight = true }]', "from 1 to 1000"),
        ('[routes.a]\ndeployments = [{ model = "a/b", wieght = 1 }]', "weight"),
        ('[routes.a]\ndeployments = ["a/b"]\ncontinue = "any"', "continue_with"),
        ('[routes.a]\ndeployments = ["a/b"]\ncontinue_with = "all"', "not one of same, any"),
        ('[routes.a]\ndeployments = ["a/b"]\ncache_ttl_s = 0', "from 0 to 86400"),
        ('[routes.a]\ndeployments = ["a/b"]\ncache_ttl_s = nan', "from 0 to 86400"),
        ('[routes."a/b"]\ndeployments = ["a/b"]', "it is not a route's name"),
        ("[routes]\nattemps = 3", "attempts"),
        ("[routes]\nattempts = 0", "from 1 to 20"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        configured(tmp_path, table)
    assert told in str(caught.value)
