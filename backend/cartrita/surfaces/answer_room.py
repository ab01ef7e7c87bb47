"""Refuses answers beyond those that a key may receive at once, and tells how many those are."""

from typing import Final

from starlette.requests import HTTPConnection

from cartrita.domain.principals import Principal
from cartrita.surfaces.rate_limit_fields import tell_at_once
from cartrita.surfaces.services import services_of

_NAME: Final = "streams"


def require_room(connection: HTTPConnection, principal: Principal) -> None:
    """Raise TooManyStreams if the principal's key is receiving as many answers as it may.

    The response tells how many more it may receive beside this one.
    """
    connections = services_of(connection).connections
    room = connections.room(principal)
    tell_at_once(connection.scope, _NAME, connections.most, max(room - 1, 0), alone=room <= 0)
    connections.require_room(principal)
