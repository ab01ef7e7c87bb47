"""Snapshots are added up: what ended workers counted stays, and what they measured goes."""

import os
import subprocess
import sys

import pytest

from cartrita.adapters.metrics import snapshots
from cartrita.adapters.metrics.catalogue import Catalogue
from cartrita.adapters.metrics.snapshots import WorkerSnapshot


@pytest.fixture(scope="module")
def ended() -> int:
    """The process id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def counted(requests: float, runs: float) -> Catalogue:
    catalogue = Catalogue()
    catalogue.retries.add(("openai",), requests)
    catalogue.runs_active.change((), runs)
    catalogue.flush_seconds.observe((), 0.02)
    return catalogue


def of(catalogue: Catalogue, pid: int) -> WorkerSnapshot:
    taken = snapshots.take(catalogue)
    return WorkerSnapshot(pid, taken.counted, taken.measured)


def test_it_survives_the_way() -> None:
    taken = snapshots.take(counted(3, 2))
    assert snapshots.decode(snapshots.encode(taken)) == taken
    assert taken.pid == os.getpid()
    assert taken.alive


def test_it_is_a_copy() -> None:
    catalogue = counted(3, 2)
    taken = snapshots.take(catalogue)
    catalogue.retries.add(("openai",))
    assert taken.counted["cartrita_retries_total"] == [(("openai",), [3.0])]


def test_those_of_all_workers_are_added_up() -> None:
    taken = [snapshots.take(counted(3, 2)), snapshots.take(counted(4, 1))]
    values = snapshots.added_up(Catalogue(), taken)
    assert values["cartrita_retries_total"] == {("openai",): [7.0]}
    assert values["cartrita_runs_active"] == {(): [3.0]}
    assert values["cartrita_run_log_flush_seconds"][()][-1] == pytest.approx(0.04)


def test_one_that_ended_holds_nothing(ended: int) -> None:
    taken = [snapshots.take(counted(3, 2)), of(counted(4, 1), ended)]
    values = snapshots.added_up(Catalogue(), taken)
    assert values["cartrita_retries_total"] == {("openai",): [7.0]}
    assert values["cartrita_runs_active"] == {(): [2.0]}


def test_the_next_one_counts_on(ended: int) -> None:
    after = Catalogue()
    snapshots.resume(after, of(counted(3, 2), ended))
    after.retries.add(("openai",))
    after.flush_seconds.observe((), 0.02)
    values = snapshots.added_up(Catalogue(), [snapshots.take(after)])
    assert values["cartrita_retries_total"] == {("openai",): [4.0]}
    assert values["cartrita_runs_active"] == {(): [0.0]}
    assert sum(values["cartrita_run_log_flush_seconds"][()][:-1]) == 2


def test_what_another_version_counted_otherwise_is_left_out() -> None:
    other = WorkerSnapshot(
        os.getpid(),
        {
            "cartrita_retries_total": [(("openai", "more"), [3.0])],
            "cartrita_run_log_flush_seconds": [((), [1.0, 2.0])],
            "cartrita_of_tomorrow_total": [((), [1.0])],
        },
        {},
    )
    assert snapshots.added_up(Catalogue(), [other])["cartrita_retries_total"] == {}
    catalogue = Catalogue()
    snapshots.resume(catalogue, other)
    assert catalogue.retries.values == {}
    assert sum(catalogue.flush_seconds.values[()]) == 0
