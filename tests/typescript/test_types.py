"""The package and its tests are right to the strict compiler, and it depends on nothing."""

import json

import pytest
from tests.typescript import package
from tests.typescript.package import PACKAGE, PROGRAMS

pytestmark = pytest.mark.slow


def test_the_package_compiles(node: str) -> None:
    assert package.compile_folder(node, PACKAGE, "--noEmit") == ""


def test_the_programs_compile(node: str) -> None:
    assert package.compile_folder(node, PROGRAMS, "--noEmit") == ""


def test_the_compiler_is_asked_for_all_that_it_can_check() -> None:
    options = json.loads((PACKAGE / "tsconfig.json").read_text())["compilerOptions"]
    wanted = ("strict", "noUncheckedIndexedAccess", "exactOptionalPropertyTypes")
    assert all(options[each] for each in wanted)
    assert not options["skipLibCheck"]


def test_it_depends_on_nothing_and_its_lock_names_no_place() -> None:
    described = json.loads((PACKAGE / "package.json").read_text())
    assert "dependencies" not in described
    assert "peerDependencies" not in described
    assert all(version[0].isdigit() for version in described["devDependencies"].values())
    lock = json.loads((PACKAGE / "package-lock.json").read_text())
    assert all("resolved" not in each for each in lock["packages"].values())
    assert all("integrity" in each for name, each in lock["packages"].items() if name)
