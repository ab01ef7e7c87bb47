"""Thirty kills of the app, Postgres and both, and frozen owners, under 200 streams on 2 workers."""

import pytest
from tests.harness.campaign import Campaign, run

pytestmark = pytest.mark.slow


def test_thirty_kills() -> None:
    report = run(Campaign(seed=30, streams=200, workers=2, kills=32, apart_s=(1.0, 5.0)))
    assert report.sound, "\n".join(report.lines())
    assert sum(report.deeds.values()) >= 30


def test_frozen_owners() -> None:
    report = run(
        Campaign(seed=31, streams=60, workers=2, kills=6, apart_s=(0.5, 2.0), deeds=("freeze",))
    )
    assert report.sound, "\n".join(report.lines())
    assert report.deeds["freeze"] == 6
