"""What the moments at which events arrive tell of what is between."""

import pytest

from cartrita.cli.doctor.streams import Arrivals, judged

ONE_BY_ONE = [number * 0.02 for number in range(60)]
FOUR_BURSTS = [0.3, 0.301, 0.302, 0.6, 0.601, 0.9, 0.901, 1.2]


@pytest.mark.parametrize(
    ("moments", "events", "seconds", "status"),
    [
        (ONE_BY_ONE, 60, 1.2, "ok"),
        (ONE_BY_ONE, 120, 1.2, "ok"),  # two came together now and then
        ([1.2], 60, 1.2, "problem"),
        ([1.2, 1.201, 1.202, 1.203], 60, 1.203, "problem"),
        (FOUR_BURSTS, 60, 1.2, "problem"),
        ([0.01, 0.02], 2, 0.02, "warning"),
        ([0.05, 0.051], 60, 0.06, "warning"),
        ([], 0, 3.0, "warning"),
    ],
)
def test_bursts_are_told_from_a_stream(
    moments: list[float], events: int, seconds: float, status: str
) -> None:
    finding = judged("https://x", Arrivals(moments, events, seconds))
    assert finding.status == status, finding
    assert ("proxy_buffering off" in finding.fix) == (status == "problem")
