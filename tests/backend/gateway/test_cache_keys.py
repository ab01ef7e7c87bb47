"""Answers are kept by everything that was asked."""

import pytest
from msgspec.structs import replace
from tests.backend.gateway.fakes import REQUEST, LineMonitor, asking

from cartrita.domain.cached_answers import CacheKey
from cartrita.domain.errors import Malformed
from cartrita.domain.messages import Message, Role, ToolResult
from cartrita.domain.relays import Endpoint
from cartrita.domain.requests import Sampling, VendorFields
from cartrita.domain.tools import ToolSpec
from cartrita.gateway.cache_keys import body_key, cache_key, is_cacheable
from cartrita.gateway.calls import Relayable


def test_requests_are_equal_if_all_of_them_is() -> None:
    made = cache_key(REQUEST, "r")
    assert made == cache_key(replace(REQUEST, model="other"), "r")
    others = [
        replace(REQUEST, owner_id="other"),
        replace(REQUEST, sampling=Sampling(temperature=0.0)),
        replace(REQUEST, vendor=VendorFields("openai_chat", {"service_tier": "flex"})),
        asking("Ho"),
    ]
    assert len({made, cache_key(REQUEST, "s"), *(cache_key(one, "r") for one in others)}) == 6


def test_the_order_of_fields_makes_no_difference() -> None:
    one = replace(REQUEST, vendor=VendorFields("d", {"a": 1, "b": 2}))
    two = replace(REQUEST, vendor=VendorFields("d", {"b": 2, "a": 1}))
    assert cache_key(one, "r") == cache_key(two, "r")


@pytest.mark.parametrize(
    "request_",
    [
        replace(REQUEST, tools=(ToolSpec("f", "", {}),)),
        replace(REQUEST, messages=(Message(Role.TOOL, (ToolResult("c", ()),)),)),
    ],
)
def test_where_tools_are_in_use_nothing_is_kept(request_) -> None:
    assert is_cacheable(REQUEST)
    assert not is_cacheable(request_)


def test_headers_that_choose_a_beta_count_and_names_of_requests_do_not() -> None:
    def key_with(**headers: str) -> CacheKey:
        passed_on = {name.replace("_", "-"): value for name, value in headers.items()}
        relay = Relayable(
            endpoint=Endpoint.MESSAGES, rewrite=str.encode, monitor=LineMonitor, headers=passed_on
        )
        return cache_key(REQUEST, "r", relay)

    assert key_with() == key_with(x_client_request_id="1") == cache_key(REQUEST, "r")
    assert key_with() != key_with(anthropic_beta="new")


def test_bodies_are_equal_whatever_the_order_of_their_fields() -> None:
    assert body_key(b'{"a": 1, "b": [2]}') == body_key(b'{"b":[2],"a":1}')
    assert body_key(b'{"a":1}') != body_key(b'{"a":2}')
    with pytest.raises(Malformed):
        body_key(b"{")
