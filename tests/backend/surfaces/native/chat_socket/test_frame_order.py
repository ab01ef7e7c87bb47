"""Numbered messages leave in their order, whatever the order in which they come."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.domain.errors import Conflict
from cartrita.surfaces.native.chat_socket.client_frames import ChatFrame
from cartrita.surfaces.native.chat_socket.frame_order import FrameOrder


def frame(seq: int | None) -> ChatFrame:
    return ChatFrame(type="chat", message=f"Message {seq}", client_seq=seq, metadata={})


def numbers(frames: list[ChatFrame]) -> list[int | None]:
    return [each.client_seq for each in frames]


@examples
@given(order=st.permutations(range(1, 17)))
def test_any_order_becomes_the_right_one(order: list[int]) -> None:
    async def passed() -> list[ChatFrame]:
        held = FrameOrder()
        found = [one for seq in order for one in held.take(frame(seq))]
        assert held.deadline is None
        return found

    assert numbers(asyncio.run(passed())) == list(range(1, 17))


async def test_what_is_not_held() -> None:
    order = FrameOrder()
    assert numbers(order.take(frame(None))) == [None]
    assert numbers(order.take(frame(1))) == [1]
    assert numbers(order.take(frame(1))) == [1]


async def test_the_bounds() -> None:
    order = FrameOrder()
    for seq in range(2, 18):
        assert order.take(frame(seq)) == []
    assert order.take(frame(17)) == []  # again, in the place of the first
    with pytest.raises(Conflict):
        order.take(frame(18))
    assert order.deadline is not None
    given_up = order.give_up()
    assert numbers([one for one, _ in given_up]) == list(range(2, 18))
    assert {error.code for _, error in given_up} == {"client_seq_gap"}
    assert (order.deadline, order.give_up()) == (None, [])
    assert numbers(order.take(frame(1))) == [1]


async def test_another_message_of_the_same_number_is_refused_and_not_lost() -> None:
    order = FrameOrder()
    assert order.take(frame(2)) == []
    assert order.take(frame(2)) == []
    other = frame(2).model_copy(update={"message": "Another."})
    with pytest.raises(Conflict):
        order.take(other)
    assert order.take(frame(1)) == [frame(1), frame(2)]
