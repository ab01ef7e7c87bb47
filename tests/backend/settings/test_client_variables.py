"""Variables that clients read may stand in a server's environment."""

from pathlib import Path

import pytest

from cartrita.settings import SettingsError, load


def test_variables_of_clients_are_none_of_ours(tmp_path: Path) -> None:
    settings = load({"CARTRITA_CLIENT_KEY": "ck_a"}, tmp_path, {})
    assert settings.warnings == ()
    with pytest.raises(SettingsError, match="CARTRITA_CLIENTS"):
        load({"CARTRITA_CLIENTS": "1"}, tmp_path, {})
