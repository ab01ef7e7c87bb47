"""Connection parameters of a database, as drivers and PostgreSQL's programs take them."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from cartrita.kit.secret import Secret

_DEFAULT_PORT = 5432
_EMBEDDED_NAME = "cartrita"  # the role and the database
# What PostgreSQL's own programs understand; drivers have more of their own.
_LIBPQ_OPTIONS = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "options"})


@dataclass(frozen=True)
class DatabaseEndpoint:
    """One database on one server; `host` is a name, or the folder of a socket."""

    host: str
    port: int
    user: str
    password: Secret
    database: str
    options: tuple[tuple[str, str], ...] = ()

    def dsn(self) -> str:
        """`postgresql://`, with the password in it: not for logs."""
        return self._url(self.options, with_password=True)

    def conninfo(self) -> str:
        """For psql, pg_dump and pg_restore: without password, since command lines are public."""
        renamed = (("sslmode" if name == "ssl" else name, value) for name, value in self.options)
        known = tuple((name, value) for name, value in renamed if name in _LIBPQ_OPTIONS)
        return self._url(known, with_password=False)

    def __str__(self) -> str:
        return f"{self.database} at {self.host}:{self.port}"

    def _url(self, options: tuple[tuple[str, str], ...], *, with_password: bool) -> str:
        login = quote(self.user, safe="")
        if with_password and self.password:
            login += ":" + quote(self.password.reveal(), safe="")
        if self.host.startswith("/"):
            where, options = "", (("host", self.host), ("port", str(self.port)), *options)
        else:
            where = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        # Spaces must not become plus signs, which libpq would keep.
        query = urlencode(options, quote_via=quote, safe="/")
        base = f"postgresql://{login}@{where}/{quote(self.database, safe='')}"
        return f"{base}?{query}" if query else base


def embedded(host: str, port: int, password: Secret) -> DatabaseEndpoint:
    """The application's database on the server that we run."""
    return DatabaseEndpoint(host, port, _EMBEDDED_NAME, password, _EMBEDDED_NAME)


def from_url(url: str) -> DatabaseEndpoint:
    """Parse `postgresql://` or `postgresql+asyncpg://`. Raises ValueError with a sentence."""
    parts = urlsplit(url)
    if parts.scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("A database URL begins with postgresql:// or postgresql+asyncpg://.")
    options = dict(parse_qsl(parts.query))
    database = unquote(parts.path.lstrip("/")) or options.pop("database", "")
    user = unquote(parts.username or "") or options.pop("user", "")
    if not database or not user:
        raise ValueError(
            "A database URL names a user and a database: postgresql://user@host/database."
        )
    return DatabaseEndpoint(
        host=options.pop("host", "") or parts.hostname or "localhost",
        port=int(options.pop("port", "") or parts.port or _DEFAULT_PORT),
        user=user,
        password=Secret(unquote(parts.password or "") or options.pop("password", "")),
        database=database,
        options=tuple(options.items()),
    )
