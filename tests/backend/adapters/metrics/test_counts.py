"""What happens is counted under names of ours."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cartrita.adapters.metrics.catalogue import Catalogue
from cartrita.adapters.metrics.counts import Counts
from cartrita.domain.ledger import CallOutcome, LedgerEntry
from cartrita.domain.runs import RunStatus
from cartrita.domain.uncounted import Uncounted
from cartrita.domain.usage import Usage

USAGE = Usage(
    input_tokens=100,
    output_tokens=20,
    cache_read_tokens=30,
    cache_write_tokens=5,
    reasoning_tokens=7,
)


def entry(**fields: Any) -> LedgerEntry:
    given: dict[str, Any] = {
        "owner_id": "ann",
        "key_id": "key_1",
        "run_id": None,
        "surface": "native",
        "provider": "openai",
        "model": "gpt",
        "usage": USAGE,
        "cost": Decimal("0.25"),
        "outcome": CallOutcome.COMPLETED,
        "seconds": 2.0,
        "first_token_seconds": 0.4,
        "at": datetime.now(UTC),
        **fields,
    }
    return LedgerEntry(**given)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture
def counts(catalogue: Catalogue) -> Counts:
    made = Counts(catalogue, models_max=2)
    made.models.knows = lambda provider, model: model.startswith("gpt")
    return made


CALL = ("native", "openai", "gpt")


def test_a_call_of_the_ledger(catalogue: Catalogue, counts: Counts) -> None:
    counts.called(entry())
    counts.called(entry(agent="writer"))
    assert catalogue.calls.values == {(*CALL, "completed"): [2.0]}
    assert catalogue.cost.values == {CALL: [0.5]}
    assert catalogue.unpriced.values == {}
    assert catalogue.agent_calls.values == {("writer", "completed"): [1.0]}
    assert {labels[-1]: value for labels, (value,) in catalogue.tokens.values.items()} == {
        "input": 200.0,
        "output": 40.0,
        "cache_read": 60.0,
        "cache_write": 10.0,
        "reasoning": 14.0,
    }
    assert catalogue.call_seconds.values[("openai", "completed")][-1] == 4.0
    assert catalogue.first_token_seconds.values[("native", "openai")][-1] == pytest.approx(0.8)


def test_one_that_failed_has_no_first_token_and_no_price(
    catalogue: Catalogue, counts: Counts
) -> None:
    failed = entry(outcome=CallOutcome.FAILED, first_token_seconds=None, usage=Usage(), cost=None)
    counts.called(failed)
    assert catalogue.calls.values == {(*CALL, "failed"): [1.0]}
    assert catalogue.unpriced.values == {CALL: [1.0]}
    assert catalogue.first_token_seconds.values == catalogue.tokens.values == {}


def test_speech(catalogue: Catalogue, counts: Counts) -> None:
    counts.called(entry(provider="deepgram", audio_seconds=1.5, usage=Usage()))
    counts.called(entry(provider="deepgram", characters=12, usage=Usage()))
    assert catalogue.audio_seconds.values == {("deepgram",): [1.5]}
    assert catalogue.characters.values == {("deepgram",): [12.0]}


def test_made_up_models_are_one(catalogue: Catalogue, counts: Counts) -> None:
    for number in range(1000):
        counts.called(entry(model=f"made-up-{number}"))
    for model in ("gpt", "gpt-2", "gpt-3"):
        counts.called(entry(model=model))
    calls = {labels[2]: value for labels, (value,) in catalogue.calls.values.items()}
    assert calls == {"other": 1001.0, "gpt": 1.0, "gpt-2": 1.0}


def test_requests(catalogue: Catalogue, counts: Counts) -> None:
    counts.answered("openai", "POST", "/v1/x", 200, 0.2)
    counts.answered("openai", "BREW", "/v1/x", 405, 0.1)
    counts.answered("openai", "POST", "/v1/x", None, 0.1)
    assert set(catalogue.requests.values) == {
        ("openai", "POST", "/v1/x", "200"),
        ("openai", "other", "/v1/x", "405"),
        ("openai", "POST", "/v1/x", "left"),
    }
    assert catalogue.request_seconds.values[("openai", "/v1/x")][-1] == pytest.approx(0.4)


def test_sockets(catalogue: Catalogue, counts: Counts) -> None:
    counts.socket_opened("/ws/chat")
    counts.socket_opened("/ws/chat")
    counts.socket_closed("/ws/chat", 1000)
    assert catalogue.sockets_open.values == {("/ws/chat",): [1.0]}
    assert catalogue.sockets_closed.values == {("/ws/chat", "1000"): [1.0]}


def test_runs(catalogue: Catalogue, counts: Counts) -> None:
    counts.run_claimed("native")
    counts.run_claimed("native")
    counts.run_left("native", RunStatus.COMPLETED, 3.0)
    assert catalogue.runs_claimed.values == {("native",): [2.0]}
    assert catalogue.runs_left.values == {("native", "completed"): [1.0]}
    assert catalogue.runs_active.values == {(): [1.0]}
    counts.orphan_settled(RunStatus.INTERRUPTED)
    assert catalogue.runs_orphaned.values == {("interrupted",): [1.0]}


def test_all_else(catalogue: Catalogue, counts: Counts) -> None:
    counts.refused("native")
    counts.failed("openai", "upstream_cut")
    counts.retried("openai")
    counts.failed_over("openai", continued=True)
    counts.waited("openai", 1.5, begun=False)
    counts.flushed(3, 20, 0.01)
    counts.flush_failed()
    assert catalogue.refused.values == {("native",): [1.0]}
    assert catalogue.errors.values == {("openai", "upstream_cut"): [1.0]}
    assert catalogue.retries.values == {("openai",): [1.0]}
    assert catalogue.failovers.values == {("openai", "yes"): [1.0]}
    assert catalogue.queue_seconds.values[("openai", "given_up")][-1] == 1.5
    assert catalogue.flush_events.values[()][-1] == 20
    assert catalogue.flush_runs.values[()] == [3.0]
    assert catalogue.flush_failures.values[()] == [1.0]


def test_what_counts_nothing_does_the_same() -> None:
    public = {name for name in vars(Counts) if not name.startswith("_")}
    assert public - {"called"} == {name for name in vars(Uncounted) if not name.startswith("_")}


def test_a_worker_that_comes_again_tells_no_more_names(catalogue: Catalogue) -> None:
    for restart in range(4):
        counts = Counts(catalogue, models_max=2)
        counts.models.knows = lambda provider, model: True
        for number in range(2):
            counts.called(entry(model=f"gpt-{restart}-{number}"))
    assert {labels[2] for labels in catalogue.calls.values} == {"gpt-0-0", "gpt-0-1", "other"}
