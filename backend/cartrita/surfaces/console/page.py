"""Serves the console: a page that loads its own built files, and nothing else."""

import re
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cartrita.domain.errors import Forbidden, NotFound
from cartrita.surfaces.console.built_files import INDEX, BuiltFile, built_files
from cartrita.surfaces.dependencies import ANONYMOUS, PublicId

router = APIRouter(tags=["console"])

_ASSETS: Final = "/assets/"
_PERMISSIONS: Final = (
    "camera=(), display-capture=(), geolocation=(), microphone=(self), payment=(), usb=()"
)
_IN_A_POLICY: Final = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_DESTINATIONS: Final = {"css": ("style",), "js": ("script", "audioworklet"), "svg": ("image",)}
"""What each kind of file is for, as Sec-Fetch-Dest says it; a worklet listens to the microphone."""


@router.head("/", include_in_schema=False, dependencies=ANONYMOUS)
@router.get("/", response_class=Response, dependencies=ANONYMOUS)
async def get_page(request: Request) -> Response:
    """The console: sign in, chat, and see what there is."""
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": _policy(request.headers.get("host", "")),
        "Permissions-Policy": _PERMISSIONS,
    }
    return _response(request, built_files()[INDEX], headers)


@router.head("/assets/{asset_name}", include_in_schema=False, dependencies=ANONYMOUS)
@router.get("/assets/{asset_name}", response_class=Response, dependencies=ANONYMOUS)
async def get_asset(request: Request, asset_name: PublicId) -> Response:
    """A built file of the console; another content would have another name."""
    file = built_files().get(asset_name)
    if file is None or asset_name == INDEX:
        raise NotFound("The console has no such file: load the page anew.")
    wanted = request.headers.get("sec-fetch-dest", "empty").lower()
    if wanted not in ("empty", *_DESTINATIONS[asset_name.rpartition(".")[2]]):
        raise Forbidden("This file is for the console's own page.", code="file_destination")
    return _response(request, file, {"Cache-Control": "public, max-age=31536000, immutable"})


def _response(request: Request, file: BuiltFile, headers: dict[str, str]) -> Response:
    coding = file.coding_for(request.headers.get("accept-encoding", ""))
    tag = f'"{file.digest}-{coding}"'
    headers |= {"ETag": tag, "Vary": "Accept-Encoding"}
    known = request.headers.get("if-none-match", "")
    if tag in (one.strip().removeprefix("W/") for one in known.split(",")):
        return Response(status_code=304, headers=headers)
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return Response(file.contents[coding], media_type=file.media_type, headers=headers)


def _policy(host: str) -> str:
    """What the page may load: code and styles from the folder of the built files alone.

    A policy cannot name an address of IPv6: there the whole origin stands for the folder.
    """
    if _IN_A_POLICY.fullmatch(host):
        assets, images, live = f"{host}{_ASSETS}", f"{host}/api/files/", f"ws://{host} wss://{host}"
    else:
        assets, images, live = "'self'", "'self'", ""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {assets}",
            f"style-src {assets}",
            f"img-src {assets} {images}",
            f"connect-src 'self' {live}".strip(),
            "require-trusted-types-for 'script'",
            "trusted-types dompurify",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
