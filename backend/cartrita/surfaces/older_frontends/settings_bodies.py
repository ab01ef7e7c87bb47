"""Reads what a frontend stores of its own settings: any JSON object, but no keys of providers."""

from typing import Final, cast

from starlette.requests import Request

from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject
from cartrita.surfaces.authentication import AuthenticationMethod
from cartrita.surfaces.dependencies import CurrentCaller
from cartrita.surfaces.json_bodies import parse_object, require_json_type

_KEYS: Final = frozenset({"apiKeys", "api_keys"})
_OF_ANSWERS: Final = frozenset({"success", "data"})
"""What answers say of themselves; a frontend may send back what it was told."""


async def read_settings(request: Request, caller: CurrentCaller) -> JsonObject:
    """The settings in a body. Raises InvalidInput for keys, which are kept encrypted or not."""
    cookie = caller.authenticated_by is AuthenticationMethod.COOKIE
    body = await request.body()
    require_json_type(request, allow_form_type=not cookie)
    settings = parse_object(body)
    for name in _KEYS & settings.keys():
        if _holds_text(settings[name]):
            raise InvalidInput.of(
                name, "settings are no place for keys: store them by POST /api/credentials"
            )
    left_out = _KEYS | _OF_ANSWERS
    return {name: value for name, value in settings.items() if name not in left_out}


def _holds_text(value: object) -> bool:
    """Whether there is anything in it but empty texts; a form sends its empty fields too."""
    if isinstance(value, dict):
        return any(map(_holds_text, cast("JsonObject", value).values()))
    return bool(value)
