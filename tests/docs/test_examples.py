"""What the pages about SDKs and providers show works, beside a server with scripted providers."""

import pytest
from tests.docs.conftest import Shell
from tests.docs.sessions import assert_works, run_beside
from tests.docs.snippets import WITH_PROVIDERS, Block


@pytest.mark.parametrize("block", run_beside(WITH_PROVIDERS), ids=str)
def test_programs_and_commands_work(block: Block, gateway_shell: Shell) -> None:
    assert_works(block, gateway_shell)
