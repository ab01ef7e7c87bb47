"""Whether a server answers, asked by connecting as any client does (and without a password)."""

import socket
import struct
from enum import Enum

from cartrita.adapters.postgres.addresses import Address

_PROTOCOL_3 = 196_608
_CANNOT_CONNECT_NOW = b"C57P03\0"


class Answer(Enum):
    """What a server makes of a start-up packet."""

    READY = "ready"
    NOT_NOW = "not now"  # starting up, recovering or shutting down
    SILENT = "silent"


def ask(address: Address, *, timeout_s: float = 5.0) -> Answer:
    """Send a start-up packet; any answer but "cannot connect now" is that of a working server."""
    body = struct.pack(">I", _PROTOCOL_3) + b"user\0cartrita\0database\0cartrita\0\0"
    try:
        with _connect(address, timeout_s) as connection:
            connection.sendall(struct.pack(">I", len(body) + 4) + body)
            return _reading(connection)
    except OSError:
        return Answer.SILENT


def _connect(address: Address, timeout_s: float) -> socket.socket:
    path = address.socket_path
    if path is None:
        return socket.create_connection((address.host, address.port), timeout=timeout_s)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout_s)
    try:
        connection.connect(str(path))
    except BaseException:
        connection.close()
        raise
    return connection


def _reading(connection: socket.socket) -> Answer:
    answer = connection.recv(4096)
    if not answer:
        return Answer.SILENT
    # An error response may also say "too many connections" or "no such role": that server works.
    refused = answer[:1] == b"E" and _CANNOT_CONNECT_NOW in answer
    return Answer.NOT_NOW if refused else Answer.READY
