"""URLs in and out, with everything that has to be quoted, and never a password where it shows."""

import pytest
from sqlalchemy.engine import make_url

from cartrita.adapters.postgres import DatabaseEndpoint, from_url
from cartrita.kit.secret import Secret

SOCKET = DatabaseEndpoint(
    "/a dir/with,comma&more", 5433, "us er", Secret("p@ss/w:rd#%"), "data base"
)
TCP = DatabaseEndpoint("::1", 5432, "u", Secret("p"), "d", options=(("ssl", "require"),))


def test_sqlalchemy_reads_it_back() -> None:
    url = make_url(SOCKET.dsn())
    assert (url.drivername, url.username, url.password) == (
        "postgresql",
        "us er",
        "p@ss/w:rd#%",
    )
    assert url.database == "data base"
    assert url.query == {"host": "/a dir/with,comma&more", "port": "5433"}
    assert make_url(TCP.dsn()).host == "::1"


@pytest.mark.parametrize("endpoint", [SOCKET, TCP])
def test_it_reads_itself_back(endpoint: DatabaseEndpoint) -> None:
    assert from_url(endpoint.dsn()) == endpoint
    assert from_url(endpoint.dsn().replace("postgresql://", "postgresql+asyncpg://")) == endpoint


def test_the_password_shows_nowhere_else() -> None:
    for text in (repr(SOCKET), str(SOCKET), SOCKET.conninfo()):
        assert "p@ss" not in text
        assert "p%40ss" not in text


def test_postgresqls_programs_get_what_they_understand() -> None:
    url = "postgresql+asyncpg://u:p@db:6000/d?ssl=require&prepared_statement_cache_size=0"
    endpoint = from_url(url)
    assert endpoint.conninfo() == "postgresql://u@db:6000/d?sslmode=require"
    assert ("prepared_statement_cache_size", "0") in endpoint.options


def test_what_is_left_out_has_a_default() -> None:
    endpoint = from_url("postgresql://u@/d?host=/run/postgresql")
    assert (endpoint.host, endpoint.port, bool(endpoint.password)) == (
        "/run/postgresql",
        5432,
        False,
    )
    assert from_url("postgres://u@h/d").host == "h"
    assert from_url("postgresql:///d?user=u&password=p").password == Secret("p")


@pytest.mark.parametrize(
    ("url", "word"),
    [("mysql://u@h/d", "begins with"), ("postgresql://h", "names a user"), ("", "begins with")],
)
def test_what_is_no_database_url_is_said(url: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        from_url(url)
