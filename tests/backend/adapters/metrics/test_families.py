"""Families count by labels, and values of several workers are added up."""

import pytest

from cartrita.adapters.metrics.families import Counter, Gauge, Histogram, Values, add_up


def test_a_counter_counts_by_labels() -> None:
    counter = Counter("c_total", "C.", "who")
    counter.add(("a",))
    counter.add(("a",), 2.5)
    counter.add(("b",))
    assert counter.values == {("a",): [3.5], ("b",): [1.0]}


def test_what_has_no_labels_is_told_from_the_beginning() -> None:
    assert Counter("c_total", "C.").values == {(): [0.0]}
    assert Histogram("h_seconds", "H.", bounds=(1, 2)).values == {(): [0.0, 0.0, 0.0, 0.0]}
    assert Counter("c_total", "C.", "who").values == {}


def test_a_gauge_goes_up_and_down() -> None:
    gauge = Gauge("g", "G.", "who")
    gauge.change(("a",), 2)
    gauge.change(("a",), -1)
    assert gauge.values == {("a",): [1.0]}


@pytest.mark.parametrize(
    ("value", "bucket"), [(0.0, 0), (1.0, 0), (1.1, 1), (2.0, 1), (2.1, 2), (1e9, 2)]
)
def test_a_bucket_has_its_bound_in_it(value: float, bucket: int) -> None:
    histogram = Histogram("h_seconds", "H.", bounds=(1, 2))
    histogram.observe((), value)
    counts = [0.0, 0.0, 0.0]
    counts[bucket] = 1.0
    assert histogram.values == {(): [*counts, value]}


def test_values_are_added_up() -> None:
    values: Values = {}
    numbers = [1.0, 2.0]
    add_up(values, ("a",), numbers)
    add_up(values, ("a",), [10.0, 20.0])
    assert values == {("a",): [11.0, 22.0]}
    assert numbers == [1.0, 2.0]
