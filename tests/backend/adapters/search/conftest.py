"""The stand-ins of the services, and addresses of them."""

from collections.abc import Callable, Iterator

import pytest
from tests.harness.search_services.exchange import KEY
from tests.harness.search_services.server import SearchServices, search_services

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.search.service import ServiceAddress
from cartrita.kit.secret import Secret

Address = Callable[..., ServiceAddress]


@pytest.fixture(scope="session")
def running_services() -> Iterator[SearchServices]:
    with search_services() as running:
        yield running


@pytest.fixture
def services(running_services: SearchServices) -> SearchServices:
    running_services.reset()
    return running_services


@pytest.fixture
def address(services: SearchServices, http: HttpClient) -> Address:
    """The address of a service, with the key that it accepts or another."""

    def make(service: str, key: str = KEY) -> ServiceAddress:
        return ServiceAddress(base_url=services.url(service), transport=http, key=Secret(key))

    return make
