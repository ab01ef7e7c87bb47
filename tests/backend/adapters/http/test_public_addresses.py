"""Which addresses are public, and which hosts are read although they are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples

from cartrita.adapters.http.public_addresses import AddressRule, is_public
from cartrita.adapters.http.targets import Origin
from cartrita.domain.errors import Forbidden

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "localhost",
    "",
]
PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "172.32.0.1",
    "2606:2800:220:1:248:1893:25c8:1946",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@examples
@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public(address: object) -> None:
    private = getattr(address, "is_private", True) or getattr(address, "is_multicast", True)
    assert not (private and is_public(str(address)))


def refused(
    rule: AddressRule,
    host: str,
    *addresses: str,
    port: int = 443,
    code: str = "address_not_public",
) -> bool:
    told: Forbidden | None = None
    try:
        rule(Origin(host, port, encrypted=True), addresses)
    except Forbidden as error:
        told = error
    if told is not None:
        assert told.code == code
        assert not any(one in told.message for one in addresses if one != host)
    return told is not None


def test_a_name_with_any_private_address_is_refused() -> None:
    rule = AddressRule()
    assert not refused(rule, "a.test", "1.1.1.1", "2606:2800:220:1::1")
    assert refused(rule, "a.test", "1.1.1.1", "10.0.0.1")
    assert refused(rule, "a.test", "::1")


@pytest.mark.parametrize("port", [1, 22, 25, 6379, 8000])
def test_ports_of_other_services(port: int) -> None:
    assert refused(AddressRule(), "a.test", "1.1.1.1", port=port, code="port_not_read")
    assert not refused(AddressRule(), "a.test", "1.1.1.1", port=8080)


def test_hosts_that_are_listed() -> None:
    rule = AddressRule(("wiki.test", "10.1.0.0/16", "::1/128", "127.0.0.1/32"))
    assert not refused(rule, "wiki.test", "192.168.0.1", port=8000)
    assert not refused(rule, "wiki.test.", "192.168.0.1")
    assert not refused(rule, "b.test", "10.1.2.3", port=8000)
    assert not refused(rule, "::1", "::1")
    assert not refused(rule, "c.test", "::ffff:127.0.0.1")
    assert refused(rule, "b.test", "10.2.0.1")
    assert refused(rule, "b.test", "10.1.2.3", "10.2.0.1")
    assert refused(rule, "other.wiki.test", "192.168.0.1")
