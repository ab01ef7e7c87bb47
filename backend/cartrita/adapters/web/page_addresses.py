"""The addresses of pages: what is read as one, in one spelling only."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

from cartrita.domain.errors import InvalidInput
from cartrita.domain.web import LONGEST_URL

_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\]|[\ud800-\udfff]")
"""Browsers take a backslash for a slash, others do not: the host would be another one."""
_HOST: Final = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?\.?")
_NUMBER: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)\.?")


def page_address(text: str) -> str:
    """The address of a page without its fragment, the host in lower case and in ASCII.

    Raises InvalidInput for what is none, for one with a user or a password, and for hosts that are
    numbers in any but the usual notation.
    """
    text = text.strip()
    if len(text) > LONGEST_URL or _FORBIDDEN.search(text):
        raise _refused("it is too long, or holds spaces, backslashes or control characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _refused("it is no address of a page") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refused("it is no address of a page; it begins with https:// or http://")
    if "@" in parts.netloc:
        raise _refused("it holds a user or a password")
    host = _host(parts.hostname, bracketed=parts.netloc.startswith("["))
    netloc = host if port is None else f"{host}:{port}"
    return urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, ""))


def redirected(url: str, location: str) -> str:
    """Where a redirect leads. Raises as `page_address` does."""
    try:
        return page_address(urljoin(url, location.strip()))
    except ValueError:
        raise _refused("it is redirected to what is no address") from None


def _host(host: str, *, bracketed: bool) -> str:
    if bracketed:
        try:
            return f"[{IPv6Address(host).compressed}]" if "%" not in host else _no_host(host)
        except AddressValueError:
            return _no_host(host)
    try:
        ascii_host = host.encode("idna").decode().lower()
    except UnicodeError:
        return _no_host(host)
    if not _HOST.fullmatch(ascii_host) or ".." in ascii_host:
        return _no_host(host)
    if _NUMBER.fullmatch(ascii_host.rstrip(".").rpartition(".")[2]):
        try:
            return str(IPv4Address(ascii_host))
        except AddressValueError:
            return _no_host(host)
    return ascii_host


def _no_host(host: str) -> str:
    raise _refused(f"{host[:100]!r} is no name of a host")


def _refused(problem: str) -> InvalidInput:
    return InvalidInput.of("url", problem)
