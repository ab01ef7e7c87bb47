"""The address file of the running server."""

from pathlib import Path

import pytest

from cartrita.cli.server_address import (
    browser_url,
    read_address,
    remove_address,
    write_address,
)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # what is bound, not binding
        ("::", "http://[::1]:8000"),
        ("2001:db8::1", "http://[2001:db8::1]:8000"),
    ],
)
def test_it_can_be_opened_on_this_machine(host: str, shown: str) -> None:
    assert browser_url(host, 8000) == shown


def test_it_is_known_while_the_server_runs(tmp_path: Path) -> None:
    assert read_address(tmp_path) is None
    write_address(tmp_path, "http://127.0.0.1:1")
    write_address(tmp_path, "http://127.0.0.1:2")
    assert read_address(tmp_path) == "http://127.0.0.1:2"
    remove_address(tmp_path)
    remove_address(tmp_path)
    assert read_address(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
