"""Tries the properties of all dialects on any number of cases: `poe dialect-properties`."""

import argparse
import sys

import pytest
from tests.backend import examples


def main() -> int:
    """Run the test files that draw from `dialect_examples`; the exit code is pytest's."""
    arguments = argparse.ArgumentParser(prog="poe dialect-properties", description=__doc__)
    arguments.add_argument("--cases", type=int, default=100_000, help="over all properties")
    examples.dialect_examples = examples.dialect_settings(arguments.parse_args().cases)
    return pytest.main(["tests/backend/dialects", "-k", "properties"])


if __name__ == "__main__":
    sys.exit(main())
