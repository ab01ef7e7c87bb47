"""What is generated is committed, says so, and is what the code generates now."""

import pytest
from tests.laws.tree import ROOT

from cartrita.cli.commands import contract

GENERATED = contract.generated_files()


@pytest.mark.parametrize("path", sorted(GENERATED))
def test_it_is_up_to_date(path: str) -> None:
    assert (ROOT / path).exists(), "run `poe contract`"
    assert (ROOT / path).read_bytes() == GENERATED[path], "run `poe contract`"


@pytest.mark.parametrize("path", sorted(one for one in GENERATED if one.endswith((".py", ".ts"))))
def test_its_first_line_says_so(path: str) -> None:
    assert "enerated" in GENERATED[path].decode().splitlines()[0]


def test_it_is_the_same_each_time() -> None:
    assert contract.generated_files() == GENERATED
