"""A page tells what all workers have counted, in the format that Prometheus reads."""

import asyncio
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest
from structlog.testing import capture_logs
from tests.backend.adapters.metrics.pages import Page, parsed
from tests.harness.scenario import eventually

from cartrita.adapters.metrics import snapshots
from cartrita.adapters.metrics.metrics import Metrics, Reading
from cartrita.adapters.metrics.shared_files import SharedFiles
from cartrita.adapters.processes.memory_files import memory_file

WATCHDOG_S = 20


@pytest.fixture
def shared() -> Iterator[list[int]]:
    with ExitStack() as stack:
        yield [stack.enter_context(memory_file()).fileno() for _ in range(2)]


async def handed_over(shared: list[int]) -> bool:
    return SharedFiles(shared).read(0) is not None


async def page(metrics: Metrics) -> Page:
    return parsed((await metrics.render()).decode())


async def test_every_family_is_told_as_what_it_is() -> None:
    metrics = Metrics()
    told = await page(metrics)
    kinds = {
        f"{name}_total" if kind == "counter" else name: kind for name, kind in told.kinds.items()
    }
    assert kinds == {family.name: family.kind for family in metrics.all}
    assert metrics.media_type.startswith("text/plain; version=0.0.4")


async def test_a_histogram_adds_up_its_buckets() -> None:
    metrics = Metrics()
    for seconds in (0.002, 0.003, 0.2, 99):
        metrics.counts.flushed(1, 1, seconds)
    told = await page(metrics)
    name = "cartrita_run_log_flush_seconds"
    bounds = {"0.001": 0, "0.0025": 1, "0.005": 2, "0.25": 3, "5.0": 3, "+Inf": 4}
    found = {bound: told.value(f"{name}_bucket", le=bound) for bound in bounds}
    assert found == bounds
    assert told.value(f"{name}_count") == 4
    assert told.value(f"{name}_sum") == pytest.approx(99.205)


async def test_a_label_may_hold_any_text() -> None:
    """None of a caller gets there; names of providers and agents are those of the settings."""
    metrics = Metrics()
    odd = 'a "quoted" name\\ with\na line, {braces} and \u2028 \U0001f331'
    metrics.counts.retried(odd)
    assert (await page(metrics)).label_values("cartrita_retries_total", "provider") == {odd}


async def test_what_is_watched_is_read_anew_each_time() -> None:
    metrics, waiting = Metrics(), {"a": 1.0}

    def read() -> Iterator[Reading]:
        for provider, calls in waiting.items():
            yield metrics.all.queue, (provider,), calls

    metrics.watch(read)
    assert (await page(metrics)).value("cartrita_provider_queue_calls", provider="a") == 1
    waiting.clear()
    waiting["b"] = 2.0
    told = await page(metrics)
    assert told.label_values("cartrita_provider_queue_calls", "provider") == {"b"}


async def test_what_cannot_be_read_is_left_out() -> None:
    metrics = Metrics()

    def broken() -> Iterator[Reading]:
        yield metrics.all.queue, ("a",), 1.0
        raise RuntimeError("It is broken.")

    metrics.watch(broken)
    metrics.watch(lambda: [(metrics.all.workers, ("1",), 1.0)])
    with capture_logs() as logs:
        told = await page(metrics)
    assert told.value("cartrita_workers") == 1
    assert [each["event"] for each in logs] == ["metrics_not_read"]


async def test_the_process_is_told() -> None:
    told = await page(Metrics(worker=3))
    assert told.value("cartrita_process_resident_memory_bytes", worker="3") > 1 << 20
    assert told.value("cartrita_process_open_fds", worker="3") > 2
    assert told.value("cartrita_process_start_time_seconds", worker="3") > 1e9


async def test_either_worker_tells_of_both(shared: list[int]) -> None:
    one = Metrics(worker=0, shared=SharedFiles(shared))
    other = Metrics(worker=1, shared=SharedFiles(shared))
    one.watch(lambda: [(one.all.ready, ("0",), True), (one.all.queue, ("openai",), 2)])
    one.counts.retried("openai")
    other.counts.retried("openai")
    await one.render()
    for metrics in (other, one):
        told = await page(metrics)
        assert told.value("cartrita_retries_total", provider="openai") == 2
        assert told.value("cartrita_ready", worker="0") == 1
        assert told.value("cartrita_provider_queue_calls", provider="openai") == 2
        assert told.label_values("cartrita_process_open_fds", "worker") == {"0", "1"}


async def test_nothing_goes_back(shared: list[int]) -> None:
    """What one page told, another worker's next page tells too."""
    one = Metrics(worker=0, shared=SharedFiles(shared))
    other = Metrics(worker=1, shared=SharedFiles(shared))
    await one.render()
    for number in range(1, 20):
        one.counts.retried("openai")
        for metrics in (one, other):
            assert (await page(metrics)).value("cartrita_retries_total") == number


async def test_the_next_worker_in_a_place_goes_on(shared: list[int]) -> None:
    before = Metrics(worker=0, shared=SharedFiles(shared))
    lost = 3.0
    before.watch(lambda: [(before.all.ledger_lost, (), lost)])
    before.counts.retried("openai")
    before.counts.run_claimed("native")
    await before.render()
    after = Metrics(worker=0, shared=SharedFiles(shared))
    after.watch(lambda: [(after.all.ledger_lost, (), 2.0)])
    after.counts.retried("openai")
    for _ in range(2):
        told = await page(after)
        assert told.value("cartrita_retries_total") == 2
        assert told.value("cartrita_ledger_lost_total") == 5
        assert told.value("cartrita_runs_active") == 0


async def test_what_no_worker_of_this_version_wrote_is_left_out(shared: list[int]) -> None:
    SharedFiles(shared).write(1, b"no snapshot")
    metrics = Metrics(worker=0, shared=SharedFiles(shared))
    with capture_logs() as logs:
        told = await page(metrics)
        after = Metrics(worker=1, shared=SharedFiles(shared))
    assert told.label_values("cartrita_process_open_fds", "worker") == {"0"}
    assert [each["event"] for each in logs] == ["metrics_not_shared"] * 2
    assert (await page(after)).value("cartrita_retries_total") == 0


async def test_it_is_told_though_it_cannot_be_shared(shared: list[int]) -> None:
    files = SharedFiles(shared)
    metrics = Metrics(worker=0, shared=files)
    metrics.counts.retried("openai")

    def refuse(place: int, octets: bytes) -> None:
        raise OSError("It is full.")

    files.write = refuse
    with capture_logs() as logs:
        assert (await page(metrics)).value("cartrita_retries_total") == 1
    assert [each["event"] for each in logs] == ["metrics_not_shared"]


async def test_no_failure_ends_the_worker(shared: list[int]) -> None:
    metrics = Metrics(worker=0, shared=SharedFiles(shared), interval_s=0.01)
    metrics.all.retries.values = None  # pyright: ignore[reportAttributeAccessIssue]
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(metrics.run())
            await eventually(lambda: logged(logs))
            running.cancel()
    assert {each["event"] for each in logs} == {"metrics_not_shared"}


async def logged(logs: Sequence[object]) -> bool:
    return len(logs) > 1


async def test_it_is_handed_over_meanwhile_and_at_the_end(shared: list[int]) -> None:
    metrics = Metrics(worker=0, shared=SharedFiles(shared), interval_s=0.01)
    async with asyncio.timeout(WATCHDOG_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(metrics.run())
        await eventually(lambda: handed_over(shared))
        metrics.counts.retried("openai")
        running.cancel()
    written = SharedFiles(shared).read(0)
    assert written is not None
    taken = snapshots.decode(written)
    assert taken.counted["cartrita_retries_total"] == [(("openai",), [1.0])]
    late = dict(taken.counted["cartrita_event_loop_late_seconds"])[()]
    assert sum(late[:-1]) >= 1
    assert not any(map(math.isnan, late))
