"""Locks pin and hash every distribution, name no index, and hold what the package asks for."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from tests.laws.tree import ROOT

LOCKS = sorted(ROOT.glob("requirements*.lock"))
_HEAVY = ("mcp", "embeddings")
"""Extras that few servers need; whoever does takes their versions from requirements-dev.lock."""
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.M)


def requirements(lock: Path) -> list[str]:
    """The lock's requirements, each with its continuation lines."""
    text = re.sub(r"(?m)^\s*#.*\n", "", lock.read_text())
    return [entry for entry in re.split(r"\n(?=\S)", text.strip()) if entry]


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: Path) -> dict[str, str]:
    """Distribution to version."""
    return {normalized(name): version for name, version in _REQUIREMENT.findall(lock.read_text())}


def asked_for(place: str) -> list[str]:
    """The distributions that a project asks for, with all extras."""
    project = tomllib.loads((ROOT / place / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(one for extra in extras.values() for one in extra)]
    return [re.split(r"[^A-Za-z0-9._-]", text)[0] for text in asked]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    entries = requirements(lock)
    assert len(entries) > 20
    for entry in entries:
        assert _REQUIREMENT.match(entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_index_is_named(lock: Path) -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links|\bfile:", lock.read_text())


def test_what_runs_is_tested_in_the_same_versions() -> None:
    tested = pins(ROOT / "requirements-dev.lock")
    for name, version in pins(ROOT / "requirements.lock").items():
        assert tested.get(name) == version, name


def test_all_that_the_package_asks_for_is_locked() -> None:
    names = {normalized(each) for place in ("backend", "client") for each in asked_for(place)}
    assert names <= set(pins(ROOT / "requirements-dev.lock"))


def test_what_every_server_installs_is_light() -> None:
    project = tomllib.loads((ROOT / "backend" / "pyproject.toml").read_text())["project"]
    heavy = {
        normalized(re.split(r"[^A-Za-z0-9._-]", text)[0])
        for extra in _HEAVY
        for text in project["optional-dependencies"][extra]
    }
    assert not heavy & set(pins(ROOT / "requirements.lock"))


def test_each_runtime_dependency_is_named_with_its_reason() -> None:
    asked = [each for place in ("backend", "client") for each in asked_for(place)]
    table = (ROOT / "docs/architecture.md").read_text().partition("\n## Dependencies\n")[2]
    named = re.findall(r"(?m)^\| `([a-z0-9.-]+)` \| \S", table)
    assert sorted(named) == sorted(set(asked))


def test_the_client_needs_three_distributions() -> None:
    project = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[^A-Za-z0-9._-]", text)[0] for text in project["dependencies"]}
    assert names == {"httpx2", "pydantic", "websockets"}


def test_the_npm_package_runs_nothing_where_it_is_installed() -> None:
    """Or npm warns of it, and some do not install it."""
    scripts = json.loads((ROOT / "frontend-contract" / "package.json").read_text())["scripts"]
    assert scripts.keys() & {"preinstall", "install", "postinstall", "prepare"} == set()
