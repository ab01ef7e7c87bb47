"""Whatever part of a desktop is killed, and whenever, nothing of it is left."""

from pathlib import Path

import pytest
from tests.harness.desktop_kills import kill

from cartrita.domain.desktop import DesktopIsolation

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_left(seed: int, folder: Path) -> None:
    isolation = DesktopIsolation.BUBBLEWRAP
    assert len(kill(folder, starts=10, seed=seed, isolation=isolation)) == 10


def test_nothing_is_left_without_namespaces(folder: Path) -> None:
    assert len(kill(folder, starts=4, seed=3, isolation=DesktopIsolation.PLAIN)) == 4
