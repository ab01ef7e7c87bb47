"""Settings of the logs: levels of single loggers, and the file."""

from pathlib import Path

import pytest

from cartrita.settings import Settings, SettingsError, load


def levels(tmp_path: Path, text: str) -> dict[str, str]:
    settings = load({"CARTRITA_LOG_LEVELS": text}, tmp_path)
    return {one.name: one.level for one in settings.logging.levels}


def test_levels_are_read(tmp_path: Path) -> None:
    assert levels(tmp_path, "cartrita.gateway=debug, sqlalchemy = info,") == {
        "cartrita.gateway": "debug",
        "sqlalchemy": "info",
    }
    assert levels(tmp_path, "") == {}


@pytest.mark.parametrize(
    "text", ['[logging]\nlevels = "asyncio=error"', '[logging.levels]\nasyncio = "error"']
)
def test_they_may_stand_in_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "cartrita.toml").write_text(text)
    (one,) = load({}, tmp_path).logging.levels
    assert (one.name, one.level) == ("asyncio", "error")


def test_workers_get_them(tmp_path: Path) -> None:
    environ = {"CARTRITA_LOG_LEVELS": "cartrita=debug", "CARTRITA_LOG_FILE": "a.log"}
    settings = load(environ, tmp_path)
    assert Settings.from_json(settings.reveal_json()).logging == settings.logging
    assert settings.logging.file == tmp_path / "a.log"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cartrita", "no logger with a level"),
        ("cartrita=loud", "no logger with a level"),
        ("=debug", "no logger with a level"),
        ("car trita=debug", "no logger with a level"),
        ("sqlalchemy.engine=debug", "sqlalchemy.engine=info"),
        ("cartritas=debug", "is a library"),
        ("cartrita=debug,cartrita=info", "more than once"),
    ],
)
def test_what_cannot_be(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        levels(tmp_path, text)
