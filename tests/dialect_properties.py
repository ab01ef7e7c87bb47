"""Tries the properties of all dialects on any number of cases: `poe dialect-properties`."""

import argparse
import sys

import pytest


class Cases:
    """A plugin that sets the number of cases before the tests are imported."""

    def __init__(self, cases: int) -> None:
        self._cases = cases

    def pytest_sessionstart(self) -> None:
        from tests.backend import examples

        examples.dialect_examples = examples.dialect_settings(self._cases)


def main() -> int:
    """Run the files of properties; the exit code is pytest's."""
    parser = argparse.ArgumentParser(prog="poe dialect-properties", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="over all properties")
    cases = parser.parse_args().cases
    selection = ["tests/backend/dialects", "-m", "hypothesis", "--durations=0"]
    return pytest.main(selection, plugins=[Cases(cases)])


if __name__ == "__main__":
    sys.exit(main())
