"""Which addresses are on the public web, and which hosts are called although theirs are not."""

from collections.abc import Iterable, Sequence, Set
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from cartrita.adapters.http.targets import Origin
from cartrita.domain.errors import Forbidden

PORTS: Final = frozenset((80, 443, 8080, 8443))
"""Ports of the web; behind others of a public host are other services."""
_CLOSED: Final = tuple(
    ip_network(one)
    for one in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services, as virtual machines see them
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)
"""Of the registries of special-purpose addresses (IANA): all that is not reached from everywhere,
and tunnels, in which another address is hidden."""
_OPEN_V6: Final = ip_network("2000::/3")
"""All that is given to anybody (RFC 4291)."""
_NAT64: Final = ip_network("64:ff9b::/96")
"""Addresses of version 4, as networks of version 6 alone see them."""


def is_public(address: str) -> bool:
    """Whether an address is reached from everywhere on the internet."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = _inner(found)
        if inner is None and found not in _OPEN_V6:
            return False
        found = inner or found
    return not any(found in network for network in _CLOSED)


class AddressRule:
    """Lets connections be made to public addresses on these ports, and to these hosts.

    `private_hosts` are names, addresses and networks, which the setting of the name `listed_in`
    has. Raises Forbidden; it does not tell what addresses a name has in the server's own network.
    """

    def __init__(
        self,
        private_hosts: Iterable[str] = (),
        *,
        ports: Set[int] | None = PORTS,
        listed_in: str = "CARTRITA_WEB_PRIVATE_HOSTS",
    ) -> None:
        hosts = tuple(private_hosts)
        self._ports = ports
        self._listed_in = listed_in
        self._names = frozenset(one for one in hosts if "/" not in one)
        self._networks = tuple(ip_network(one) for one in hosts if "/" in one)

    def __call__(self, origin: Origin, addresses: Sequence[str]) -> None:
        """See `CheckAddresses`."""
        if origin.host.rstrip(".") in self._names:
            return
        private = [one for one in addresses if not is_public(one)]
        if not all(self._is_listed(one) for one in private):
            raise Forbidden(
                f"{origin.host} is not on the public web, and this server calls nothing else. "
                f"Whoever runs it may list the host in {self._listed_in}.",
                code="address_not_public",
            )
        if self._ports is not None and origin.port not in self._ports and not private:
            raise Forbidden(
                f"Port {origin.port} of {origin.host} is not read: ports of the web are "
                f"{', '.join(map(str, sorted(self._ports)))}.",
                code="port_not_read",
            )

    def _is_listed(self, address: str) -> bool:
        found = ip_address(address)
        inner = _inner(found) if isinstance(found, IPv6Address) else None
        return any((inner or found) in network for network in self._networks)


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The address of version 4 that another stands for."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
