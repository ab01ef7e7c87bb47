"""Validation and normalisation of addresses: hosts, URLs, origins and networks."""

import re
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from cartrita.settings.errors import display_value

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_DATABASE_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_VALKEY_SCHEMES = ("valkey", "valkeys", "redis", "rediss", "unix")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()/-]*)?")
_MEDIA_TYPE = re.compile(r"\*/\*|[A-Za-z0-9-]+/(\*|[A-Za-z0-9.+_-]+)")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def host(value: str) -> str:
    """A host name or address to bind, without brackets."""
    bare = value.removeprefix("[").removesuffix("]")
    if _is_address(bare) or _HOST_NAME.fullmatch(value):
        return bare
    raise ValueError(
        f"{display_value(value)} is not a host name or address; write it without port or scheme"
    )


def is_loopback(value: str) -> bool:
    """Whether a server bound to this host can only be reached from this machine."""
    return value == "localhost" or (_is_address(value) and ip_address(value).is_loopback)


def web_url(value: str) -> str:
    """An http(s) URL without user, password, fragment and trailing slash."""
    if "@" in value:  # checked first, so that no error repeats a password
        raise ValueError("the address holds a user or password; put the key into its own variable")
    url = _split(value)
    if url is None or url.scheme not in ("http", "https") or re.search(r"\s", value):
        raise ValueError(
            f"{display_value(value)} is not a web address; write http://host:port/path"
        )
    if not url.hostname or url.fragment:
        raise ValueError(
            f"{display_value(value)} has no host or has a fragment; write http://host:port/path"
        )
    return value.rstrip("/")


def database_url(value: str) -> str:
    """A PostgreSQL URL in the form `postgresql://...`, as asyncpg takes it."""
    url = _split(value)
    if url is None or url.scheme not in _DATABASE_SCHEMES or not url.path.strip("/"):
        raise ValueError(
            "it is not a PostgreSQL address that names a database; "
            "write postgresql://user:password@host:5432/database"
        )
    return "postgresql://" + value.partition("://")[2]


def valkey_url(value: str) -> str:
    """The URL of a Valkey or Redis server."""
    url = _split(value)
    if url is None or url.scheme not in _VALKEY_SCHEMES:
        raise ValueError("it is not the address of a Valkey server; write valkey://host:6379/0")
    return value


def storage(value: str) -> str:
    """Where files are kept: an absolute path, or a bucket as `s3://name/prefix`."""
    if value.startswith("s3://") and _BUCKET.fullmatch(value):
        return value.rstrip("/")
    if value.startswith("/") and "\0" not in value:
        return value
    raise ValueError(
        f"{display_value(value)} is no place for files; write an absolute path, or "
        "s3://bucket/prefix"
    )


def media_type(value: str) -> str:
    """A media type without parameters, or `image/*`, or `*/*`."""
    if _MEDIA_TYPE.fullmatch(value):
        return value.lower()
    raise ValueError(f"{display_value(value)} is not a media type; write image/png or image/*")


def origin(value: str) -> str:
    """`scheme://host:port`, as browsers send it: in lower case, without the default port."""
    if value == "*":
        raise ValueError("'*' would let every page in; list the origins of your own frontends")
    url = _split(value)
    if url is None or not url.hostname or "@" in url.netloc or re.search(r"[\s*]", value):
        raise ValueError(f"{display_value(value)} is not an origin; write scheme://host:port")
    if url.path.strip("/") or url.query or url.fragment:
        raise ValueError(
            f"{display_value(value)} is more than an origin; write scheme://host:port alone"
        )
    name = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    port = "" if url.port in (None, _DEFAULT_PORTS.get(url.scheme)) else f":{url.port}"
    return f"{url.scheme}://{name}{port}"


def network(value: str) -> str:
    """An address, or a network in CIDR form."""
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError(
            f"{display_value(value)} is not an address or network; write 10.0.0.0/8"
        ) from None


def named_host(value: str) -> str:
    """A host name in lower case, an address, or a network in CIDR form."""
    if "/" in value or _is_address(value):
        return network(value)
    if _HOST_NAME.fullmatch(value):
        return value.lower()
    raise ValueError(
        f"{display_value(value)} is not a host name, address or network; write wiki.example.com"
    )


def is_literal(url: str) -> bool:
    """Whether a URL has an address, or `localhost`: no name that others could let point here."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or _is_address(host)


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
