"""A display, and what drives it."""

from collections.abc import Iterator

import pytest
from tests.harness.x_display import XDisplay

from cartrita.adapters.desktop.host.driver.driver import XDriver


@pytest.fixture
def display() -> Iterator[XDisplay]:
    with XDisplay() as running:
        yield running


@pytest.fixture
def driver(display: XDisplay) -> Iterator[XDriver]:
    made = XDriver(display.name, settle_s=1.0)
    yield made
    made.close()
