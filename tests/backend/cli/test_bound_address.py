"""Where the running server says that it listens."""

from pathlib import Path

import pytest

from cartrita.cli import bound_address


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
    assert bound_address.url(host, 8000) == shown


def test_it_is_known_while_the_server_runs(tmp_path: Path) -> None:
    assert bound_address.recorded(tmp_path) is None
    bound_address.record(tmp_path, "http://127.0.0.1:1")
    bound_address.record(tmp_path, "http://127.0.0.1:2")
    assert bound_address.recorded(tmp_path) == "http://127.0.0.1:2"
    bound_address.forget(tmp_path)
    bound_address.forget(tmp_path)
    assert bound_address.recorded(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
