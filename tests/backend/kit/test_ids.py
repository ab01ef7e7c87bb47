"""Identifiers as the outside sees them."""

import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.kit.ids import parse, public, uuid7

PREFIXES = st.sampled_from(["conv", "msg", "run"])


def test_uuid7_says_its_version_and_the_time() -> None:
    before = time.time_ns() // 1_000_000
    value = uuid7()
    after = time.time_ns() // 1_000_000
    assert value.version == 7
    assert value.variant == "specified in RFC 4122"
    assert before <= value.int >> 80 <= after


def test_uuid7_is_never_the_same_and_orders_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(1_700_000_000_000_000_000, 1_700_000_001_000_000_000, 1_000_000))
    monkeypatch.setattr("cartrita.kit.ids.time.time_ns", lambda: next(moments))
    values = [uuid7() for _ in range(1000)]
    assert values == sorted(values)
    assert len(set(values)) == 1000


@examples
@given(PREFIXES, st.uuids())
def test_what_is_shown_can_be_read(prefix: str, value: UUID) -> None:
    shown = public(prefix, value)
    assert shown == f"{prefix}_{value.hex}"
    assert parse(prefix, shown) == value
    assert parse(prefix, str(value)) == value


@examples
@given(st.text(max_size=40))
def test_reading_never_raises(text: str) -> None:
    assert parse("run", text) is None or isinstance(parse("run", text), UUID)


@pytest.mark.parametrize("text", ["", "run_", "run_12", "msg_" + "0" * 32, "run_run_" + "0" * 32])
def test_what_is_no_id_of_this_kind_is_none(text: str) -> None:
    assert parse("run", text) is None
