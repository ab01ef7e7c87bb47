"""A campaign's report: what it did, what it saw, and whether all of it was sound."""

from collections import Counter

import pytest
from tests.harness import campaign
from tests.harness.campaign import Report
from tests.harness.observations import Violation

SOUND = Report(7, 61.0, Counter(worker=2), Counter(runs=9))
BROKEN = Report(
    7, 61.0, Counter(worker=2), Counter(), ["it did not start"], [Violation("I4", "run", "no end")]
)


def test_tells_the_seed_the_disruptions_and_every_violation() -> None:
    assert SOUND.sound
    assert list(SOUND.lines()) == [
        "seed 7, 61 s",
        "disruptions: 2 {'worker': 2}",
        "seen: {'runs': 9}",
        "violations: none",
    ]
    assert not BROKEN.sound
    assert list(BROKEN.lines())[3:] == [
        "violations: {'I4': 1}",
        "  I4 run: no end",
        "  problem: it did not start",
    ]


@pytest.mark.parametrize("report", [SOUND, BROKEN])
def test_a_violation_is_an_exit_code(
    report: Report, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[campaign.Campaign] = []

    def run(what: campaign.Campaign) -> Report:
        asked.append(what)
        return report

    monkeypatch.setattr(campaign, "run", run)
    monkeypatch.setattr("sys.argv", ["campaign", "--duration", "30m", "--seed", "7"])
    assert campaign.main() == (0 if report.sound else 1)
    assert (asked[0].seed, asked[0].duration_s, asked[0].kills) == (7, 1800.0, None)
    assert capsys.readouterr().out.splitlines() == list(report.lines())
