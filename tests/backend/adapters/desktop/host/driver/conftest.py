"""A display, and what drives it."""

from collections.abc import Iterator

import pytest
from tests.harness.x_display import XDisplay

from cartrita.adapters.desktop.host.driver.xtest import XTestDriver


@pytest.fixture
def display() -> Iterator[XDisplay]:
    with XDisplay() as running:
        yield running


@pytest.fixture
def driver(display: XDisplay) -> Iterator[XTestDriver]:
    made = XTestDriver(display.name, settle_s=1.0)
    yield made
    made.close()
