"""Every generated file of the TypeScript client."""

from typing import Final

from cartrita.contract.model import Contract
from cartrita.contract.typescript.methods import client_file
from cartrita.contract.typescript.operations import (
    errors_file,
    events_file,
    operations_file,
    version_file,
)
from cartrita.contract.typescript.types import types_file

_WRITERS: Final = {
    "client.ts": client_file,
    "errors.ts": errors_file,
    "events.ts": events_file,
    "operations.ts": operations_file,
    "types.ts": types_file,
    "version.ts": version_file,
}


def typescript_files(contract: Contract) -> dict[str, str]:
    """By their path in the checkout."""
    folder = "frontend-contract/src/generated"
    return {f"{folder}/{name}": write(contract) for name, write in _WRITERS.items()}
