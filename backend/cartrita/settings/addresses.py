"""Addresses as people write them: checked, and brought into the one form that the rest expects."""

import re
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_DATABASE_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_VALKEY_SCHEMES = ("valkey", "valkeys", "redis", "rediss", "unix")
_USUAL_PORTS = {"http": 80, "https": 443}


def shown(value: object) -> str:
    """A bad value for an error; a long one might be a misplaced key and is not repeated."""
    if isinstance(value, dict | list | tuple):
        return "a table" if isinstance(value, dict) else "a list"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) < 32 else f"a value of {len(str(value))} characters"


def host(value: str) -> str:
    """An address or a name to bind to, without brackets."""
    bare = value.removeprefix("[").removesuffix("]")
    if _is_address(bare) or _HOST_NAME.fullmatch(value):
        return bare
    raise ValueError(
        f"{shown(value)} is not a host name or address; write it without port or scheme"
    )


def is_loopback(value: str) -> bool:
    """Whether only this machine can reach what is bound there."""
    return value == "localhost" or (_is_address(value) and ip_address(value).is_loopback)


def web(value: str) -> str:
    """An http(s) address without user, password and fragment, and without a slash at its end."""
    if "@" in value:  # looked at first, so that no password is repeated
        raise ValueError("the address holds a user or password; put the key into its own variable")
    url = _split(value)
    if url is None or url.scheme not in ("http", "https") or re.search(r"\s", value):
        raise ValueError(f"{shown(value)} is not a web address; write http://host:port/path")
    if not url.hostname or url.fragment:
        raise ValueError(
            f"{shown(value)} has no host or has a fragment; write http://host:port/path"
        )
    return value.rstrip("/")


def database(value: str) -> str:
    """`postgresql://...`, asyncpg's form; an adapter that needs another makes it from this."""
    url = _split(value)
    if url is None or url.scheme not in _DATABASE_SCHEMES or not url.path.strip("/"):
        raise ValueError(
            "it is not a PostgreSQL address that names a database; "
            "write postgresql://user:password@host:5432/database"
        )
    return "postgresql://" + value.partition("://")[2]


def valkey(value: str) -> str:
    """The address of a Valkey or Redis server."""
    url = _split(value)
    if url is None or url.scheme not in _VALKEY_SCHEMES:
        raise ValueError("it is not the address of a Valkey server; write valkey://host:6379/0")
    return value


def origin(value: str) -> str:
    """`scheme://host:port`, as a browser writes it: in lower case, without the usual port."""
    if value == "*":
        raise ValueError("'*' would let every page in; list the origins of your own frontends")
    url = _split(value)
    if url is None or not url.hostname or "@" in url.netloc or re.search(r"[\s*]", value):
        raise ValueError(f"{shown(value)} is not an origin; write scheme://host:port")
    if url.path.strip("/") or url.query or url.fragment:
        raise ValueError(f"{shown(value)} is more than an origin; write scheme://host:port alone")
    name = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    port = "" if url.port in (None, _USUAL_PORTS.get(url.scheme)) else f":{url.port}"
    return f"{url.scheme}://{name}{port}"


def network(value: str) -> str:
    """An address, or a network in CIDR form."""
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"{shown(value)} is not an address or network; write 10.0.0.0/8") from None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _split(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        _ = url.port  # an impossible port raises only here
    except ValueError:
        return None
    return url if "://" in text else None
