"""Thirty kills of the app, Postgres and both, and frozen workers, under 200 streams."""

import pytest
from tests.harness.campaign import Campaign, run

pytestmark = pytest.mark.slow


def test_thirty_kills() -> None:
    report = run(
        Campaign(
            seed=30,
            streams=200,
            workers=2,
            kills=32,
            interval_s=(1.0, 5.0),
            slow_read_s=(2.0, 5.0),
        )
    )
    assert report.sound, "\n".join(report.lines())
    assert sum(report.disruptions.values()) >= 30
    assert report.counts["tool results"] > 30


def test_frozen_workers() -> None:
    report = run(
        Campaign(
            seed=31,
            streams=60,
            workers=2,
            kills=6,
            interval_s=(0.5, 2.0),
            disruptions=("freeze",),
            words=(10, 40),
            slow_read_s=(1.0, 3.0),
        )
    )
    assert report.sound, "\n".join(report.lines())
    assert report.disruptions["freeze"] == 6
