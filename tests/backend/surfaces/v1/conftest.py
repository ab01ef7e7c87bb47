"""A provider and a server as processes of their own, as the journeys have them."""

from tests.harness.fixtures import provider as provider
from tests.harness.fixtures import quiet_server as quiet_server
from tests.harness.fixtures import scenario as scenario
