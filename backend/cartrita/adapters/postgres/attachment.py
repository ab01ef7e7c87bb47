"""Reaching the database of a data directory that another process serves right now."""

import os
from pathlib import Path

from cartrita.adapters.postgres import endpoints, liveness, passwords, places, processes
from cartrita.adapters.postgres.addresses import Address
from cartrita.adapters.postgres.endpoints import Endpoint
from cartrita.adapters.postgres.errors import refusing_os_errors
from cartrita.adapters.postgres.liveness import Answer


def attach(data_dir: Path) -> Endpoint | None:
    """The endpoint of the running server, for a backup while work goes on; None if none answers."""
    data_dir = Path(os.path.realpath(data_dir))
    with refusing_os_errors(data_dir):
        cluster = places.locate(data_dir)
        address = _recorded(cluster) if cluster else None
        if cluster is None or address is None or liveness.ask(address) is not Answer.READY:
            return None
        password = passwords.keep(data_dir, cluster, initialised=True)
    return endpoints.embedded(address.host, address.port, password)


def _recorded(cluster: Path) -> Address | None:
    """What the server wrote about itself: id, folder, start, port, socket's folder, TCP address."""
    try:
        lines = processes.postmaster_file(cluster).read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 6:
        return None
    port, folder, tcp = lines[3:6]
    return Address(folder or tcp, int(port))
