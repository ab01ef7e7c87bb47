"""docker-compose.yml, checked against the Compose Specification and against our settings."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cartrita.adapters.postgres.endpoints import from_url
from cartrita.settings import load

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
TEXT = (ROOT / "docker-compose.yml").read_text()
_REFERENCE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[?-])(?P<rest>[^}]*))?\}")
_OF_OTHERS = ("docker.io/langfuse/", "docker.io/clickhouse/", "docker.io/minio/")
_SECRETS = {
    "POSTGRES_PASSWORD": "a1" * 16,
    "CARTRITA_SECRET": "s" * 48,
    "CARTRITA_BOOTSTRAP_KEY": "k" * 32,
}


@pytest.fixture
def compose() -> dict[str, Any]:
    return yaml.safe_load(TEXT)


def interpolated(text: str, environment: dict[str, str]) -> str:
    """The text as Compose reads it; KeyError where a required variable is missing."""

    def value(found: re.Match[str]) -> str:
        given = environment.get(found["name"], "")
        if given:
            return given
        if found["kind"] != "-":
            raise KeyError(found["name"])
        return found["rest"]

    return _REFERENCE.sub(value, text)


def valid(compose: dict[str, Any]) -> bool:
    return jsonschema.Draft7Validator(SCHEMA).is_valid(compose)


def test_it_fits_the_specification(compose: dict[str, Any]) -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(compose)


@pytest.mark.parametrize(
    "slip",
    [
        {"read_onyl": True},
        {"cap_drop": "ALL"},
        {"depends_on": {"database": {"condition": "service_alive"}}},
        {"healthcheck": {"interval": 5}},
    ],
)
def test_the_specification_notices_slips(compose: dict[str, Any], slip: dict[str, Any]) -> None:
    compose["services"]["cartrita"] |= slip
    assert not valid(compose)


def test_every_reference_inside_it_is_defined(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        named = {mount.split(":")[0] for mount in service.get("volumes", [])}
        assert named <= set(compose["volumes"])
        assert set(service["networks"]) <= set(compose["networks"])
        assert set(service.get("depends_on", {})) <= set(compose["services"])
    build = compose["services"]["cartrita"]["build"]
    assert (ROOT / build["context"] / build["dockerfile"]).is_file()


def test_the_server_starts_after_a_healthy_database(compose: dict[str, Any]) -> None:
    server, database = compose["services"]["cartrita"], compose["services"]["database"]
    assert server["depends_on"]["database"]["condition"] == "service_healthy"
    assert database["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    assert "HEALTHCHECK" in (ROOT / "backend/Dockerfile").read_text()


def test_no_service_may_more_than_it_needs(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if not service["image"].startswith(_OF_OTHERS):  # what those need is not known here
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name
    assert compose["services"]["database"]["user"] == "postgres"


def test_only_this_machine_reaches_it_and_nobody_what_it_needs(compose: dict[str, Any]) -> None:
    pages = [compose["services"].pop(name) for name in ("cartrita", "langfuse")]
    for page in pages:
        assert all(port.startswith("127.0.0.1:") for port in page["ports"])
    for service in compose["services"].values():
        assert "ports" not in service
        assert all(compose["networks"][name]["internal"] for name in service["networks"])


def test_a_valkey_is_there_for_who_asks_for_it(compose: dict[str, Any], tmp_path: Path) -> None:
    assert compose["services"]["valkey"]["profiles"] == ["valkey"]
    example = (ROOT / ".env.example").read_text()
    chosen = dict(re.findall(r"(?m)^# (CARTRITA_(?:CACHE|VALKEY)\w+)=(.+)", example))
    text = interpolated(TEXT, {**_SECRETS, **chosen})
    given = yaml.safe_load(text)["services"]["cartrita"]["environment"]
    settings = load({name: value or "" for name, value in given.items()}, tmp_path, {})
    assert settings.warnings == ()
    assert settings.cache.store == "valkey"
    assert settings.valkey.url is not None
    assert settings.valkey.url.reveal().startswith("valkey://valkey:6379")


def test_a_langfuse_is_there_for_who_asks_for_it(compose: dict[str, Any]) -> None:
    services = {
        name: service
        for name, service in compose["services"].items()
        if name.startswith("langfuse")
    }
    assert all(service["profiles"] == ["langfuse"] for service in services.values())
    assert services["langfuse"]["image"].endswith(":4"), "the SDK needs 4.59 or newer"
    versions = services["langfuse-events"]["image"].rpartition(":")[2].split(".")
    assert tuple(map(int, versions)) >= (25, 12), "Langfuse 4 needs 25.12 or newer"
    needed = {host for host in services if host not in ("langfuse", "langfuse-worker")}
    for name in ("langfuse", "langfuse-worker"):
        told = " ".join(map(str, services[name]["environment"].values()))
        assert needed == set(services[name]["depends_on"])
        assert all(host in told for host in needed)
    given = services["langfuse"]["environment"]
    server = compose["services"]["cartrita"]["environment"]
    for name in ("PUBLIC_KEY", "SECRET_KEY"):
        assert given[f"LANGFUSE_INIT_PROJECT_{name}"] == server[f"LANGFUSE_{name}"]


def test_it_asks_for_its_secrets_and_holds_none() -> None:
    for missing in _SECRETS:
        given = {name: value for name, value in _SECRETS.items() if name != missing}
        with pytest.raises(KeyError, match=missing):
            interpolated(TEXT, given)
    for service in yaml.safe_load(TEXT)["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|SALT|KEY(?!_ID)|(DATABASE|VALKEY)_URL", name):
                assert _REFERENCE.search(value), name


def test_the_server_accepts_the_environment(tmp_path: Path) -> None:
    text = interpolated(TEXT, _SECRETS)
    given = yaml.safe_load(text)["services"]["cartrita"]["environment"]
    settings = load({name: value or "" for name, value in given.items()}, tmp_path, {})
    assert settings.warnings == ()
    assert settings.auth.secret is not None
    assert settings.auth.bootstrap_key is not None
    assert settings.database.url is not None
    endpoint = from_url(settings.database.url.reveal())
    assert endpoint.dsn().startswith("postgresql://cartrita:")


def test_the_example_names_every_variable() -> None:
    example = (ROOT / ".env.example").read_text()
    offered = set(re.findall(r"(?m)^(?:# )?([A-Z_]+)=", example))
    assert {found["name"] for found in _REFERENCE.finditer(TEXT)} == offered


def test_the_example_filled_in_serves_without_docker_too(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text()
    for name, value in _SECRETS.items():
        text = text.replace(f"\n{name}=\n", f"\n{name}={value}\n")
    (tmp_path / ".env").write_text(text)
    warnings = load({}, tmp_path, {}).warnings
    assert [warning for warning in warnings if "POSTGRES_PASSWORD" not in warning] == []
