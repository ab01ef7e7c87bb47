"""Fixtures that all journeys share: a provider, servers, scenarios."""

from tests.harness.fixtures import deepgram_server as deepgram_server
from tests.harness.fixtures import desk as desk
from tests.harness.fixtures import desk_server as desk_server
from tests.harness.fixtures import killable as killable
from tests.harness.fixtures import killable_server as killable_server
from tests.harness.fixtures import older as older
from tests.harness.fixtures import older_server as older_server
from tests.harness.fixtures import provider as provider
from tests.harness.fixtures import quiet_server as quiet_server
from tests.harness.fixtures import scenario as scenario
from tests.harness.fixtures import serve as serve
from tests.harness.fixtures import services as services
from tests.harness.fixtures import shared as shared
