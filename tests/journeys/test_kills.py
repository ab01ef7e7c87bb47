"""Five kills of all kinds under thirty concurrent clients violate no invariant."""

from tests.harness.campaign import Campaign, run

CAMPAIGN = Campaign(
    seed=20,
    streams=30,
    workers=2,
    kills=5,
    interval_s=(0.4, 1.2),
    disruptions=("worker", "parent", "cluster", "everything"),
    conversations=3,
    words=(10, 40),
    between_tokens_s=(0.01, 0.06),
    slow_read_s=(1.0, 3.0),
)


def test_five_kills() -> None:
    report = run(CAMPAIGN)
    assert report.sound, "\n".join(report.lines())
    assert sum(report.disruptions.values()) == 5
    assert report.counts["client ended"] >= 30
