"""Journeys share a provider and a server; each story is told in a file of its own."""

from tests.harness.fixtures import killable as killable
from tests.harness.fixtures import killable_server as killable_server
from tests.harness.fixtures import provider as provider
from tests.harness.fixtures import quiet_server as quiet_server
from tests.harness.fixtures import serve as serve
from tests.harness.fixtures import story as story
