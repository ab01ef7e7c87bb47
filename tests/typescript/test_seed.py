"""What the first frontends were promised of the client holds."""

import pytest
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.typescript.package import Programs

pytestmark = pytest.mark.slow


def test_what_was_promised(scenario: Scenario, programs: Programs) -> None:
    told = programs.run("seed", base=scenario.server.base, key=KEY)
    assert [each for each in told if not each["holds"]] == []
    assert len(told) == 14
