"""What the image is made of: known, with licences that let anyone use it, nothing hidden."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
_PERMISSIVE = (
    *("MIT", "MIT-0", "MIT-CMU", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "PSF-2.0"),
    *("Python-2.0", "MPL-2.0", "CNRI-Python", "License :: OSI Approved :: Apache Software License"),
)
_UNDECLARED = {"protobuf": "BSD-3-Clause", "tiktoken": "MIT"}
"""By the texts of their licences: their metadata names none."""
_MOST_PARTS = 75
_MOST_MIB = 280
"""Whoever needs more says so here."""


@pytest.fixture(scope="module")
def parts() -> list[dict[str, Any]]:
    """The components that `poe sbom` tells."""
    poe = Path(sys.executable).with_name("poe")
    done = subprocess.run([poe, "sbom"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((ROOT / "dist" / "sbom.json").read_text())["components"]


def test_each_part_has_its_version_and_its_address(parts: list[dict[str, Any]]) -> None:
    locked = (ROOT / "requirements.lock").read_text()
    for part in parts:
        name = re.sub(r"[-_.]+", "-", part["name"]).lower()
        assert f"\n{name}=={part['version']} " in locked
        assert re.fullmatch(r"pkg:pypi/[^@]+@" + re.escape(part["version"]), part["purl"])
    assert {"fastapi", "asyncpg", "langfuse", "valkey"} <= {part["name"] for part in parts}
    assert len(parts) <= _MOST_PARTS


def test_each_part_may_be_used_by_anyone(parts: list[dict[str, Any]]) -> None:
    for part in parts:
        told = [_named(each) for each in part.get("licenses", [])] or [_UNDECLARED[part["name"]]]
        assert any(_permissive(licence) for licence in told), (part["name"], told)


def test_no_part_is_run_by_each_start_of_python(parts: list[dict[str, Any]]) -> None:
    environment = ROOT / "dist" / "sbom" / "parts"
    assert [*environment.rglob("*.pth")] == []
    assert [*environment.rglob("sitecustomize.py")] == []
    size = sum(path.stat().st_size for path in environment.rglob("*") if path.is_file())
    assert size < _MOST_MIB << 20


def _named(licence: dict[str, Any]) -> str:
    told = licence.get("license", {})
    return licence.get("expression") or told.get("id") or told["name"]


def _permissive(expression: str) -> bool:
    """Whether one of its alternatives asks for permissive licences only."""
    alternatives = expression.split(" OR ")
    return any(set(one.split(" AND ")) <= set(_PERMISSIVE) for one in alternatives)
