"""Waiting calls go in order within a tenant, and the tenants take turns."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.backend.examples import examples

from cartrita.gateway.waiting_calls import WaitingCall, WaitingCalls

TENANTS = st.sampled_from("abcd")


def test_tenants_take_turns_and_each_ones_calls_are_in_order() -> None:
    waiting = WaitingCalls()
    for number, tenant in enumerate("aaaabbc"):
        waiting.add(tenant, WaitingCall(number, listening=False))
    assert [waiting.pop().number for _ in range(7)] == [0, 4, 6, 1, 5, 2, 3]
    assert waiting.size == 0


def test_a_call_that_comes_back_goes_before_later_ones_of_its_tenant() -> None:
    waiting = WaitingCalls()
    for number in (5, 6, 2):
        waiting.add("a", WaitingCall(number, listening=False))
    assert waiting.position("a", 3) == 2
    assert [waiting.pop().number for _ in range(3)] == [2, 5, 6]


@examples
@given(st.lists(TENANTS, max_size=40), TENANTS)
def test_the_place_that_is_told_is_that_at_which_a_call_is_granted(
    tenants: list[str], tenant: str
) -> None:
    waiting = WaitingCalls()
    for number, one in enumerate(tenants):
        waiting.add(one, WaitingCall(number, listening=False))
    position = waiting.position(tenant, 100)
    waiting.add(tenant, WaitingCall(100, listening=False))
    assert [call.number for call in waiting.in_order()].index(100) + 1 == position
    assert [waiting.pop().number for _ in range(position)][-1] == 100


class Waiting(RuleBasedStateMachine):
    """Whatever comes and goes, what is popped is what a plain model of it pops."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = WaitingCalls()
        self.lines: dict[str, list[WaitingCall]] = {}
        self.turns = deque[str]()
        self.number = 0

    @rule(tenant=TENANTS, count=st.integers(1, 90))
    def add(self, tenant: str, count: int) -> None:
        for _ in range(count):
            self.number += 1
            call = WaitingCall(self.number, listening=False)
            self.waiting.add(tenant, call)
            if tenant not in self.lines:
                self.turns.append(tenant)
            self.lines.setdefault(tenant, []).append(call)

    @precondition(lambda self: self.turns)
    @rule()
    def pop(self) -> None:
        tenant = self.turns.popleft()
        assert self.waiting.pop() is self.lines[tenant].pop(0)
        if self.lines[tenant]:
            self.turns.append(tenant)
        else:
            del self.lines[tenant]

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), count=st.integers(1, 200))
    def discard(self, data: st.DataObject, count: int) -> None:
        tenant = data.draw(st.sampled_from(sorted(self.lines)))
        for _ in range(min(count, len(self.lines[tenant]))):
            index = data.draw(st.integers(0, len(self.lines[tenant]) - 1))
            self.waiting.discard(tenant, self.lines[tenant].pop(index))
        if not self.lines[tenant]:
            del self.lines[tenant]
            self.turns.remove(tenant)

    @invariant()
    def sizes(self) -> None:
        assert self.waiting.size == sum(map(len, self.lines.values()))
        assert all(self.waiting.of(tenant) == len(self.lines.get(tenant, ())) for tenant in "abcd")


TestWaiting = Waiting.TestCase
TestWaiting.settings = examples


@pytest.mark.parametrize("first", ["grant", "expire"])
async def test_what_is_over_is_no_news(first: str) -> None:
    call = WaitingCall(1, listening=True)
    call.tell(3)
    getattr(call, first)()
    assert await call.next_place() == 0


async def test_a_place_is_told_once() -> None:
    call = WaitingCall(1, listening=True)
    call.tell(3)
    assert await call.next_place() == 3
    call.grant()
    assert await call.next_place() == 0
