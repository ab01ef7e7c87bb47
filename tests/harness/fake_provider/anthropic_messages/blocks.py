"""What the types of content blocks do not say of them: their names, and what their data is."""

from collections.abc import Callable
from typing import Any

from tests.harness.fake_provider import media
from tests.harness.fake_provider.anthropic_messages import errors, limits
from tests.harness.fake_provider.shape_checks import Rule


def _source(source: Any, path: str) -> None:
    """The source of an image or of a document, at any depth."""
    if isinstance(source, dict) and source.get("type") == "base64":
        data = media.decoded(source["data"])
        if not data:
            raise errors.at(f"{path}.base64.data", "Invalid base64 data")
        check: Callable[[bytes, Any, str], None] = _pdf if ".document" in path else _image
        check(data, source["media_type"], path)


def _image(data: bytes, said: str, path: str) -> None:
    found = media.image_type(data)
    if found is None:
        raise errors.AnthropicRefusal("Could not process image")
    if found != said:
        raise errors.at(
            f"{path}.base64.data",
            f"The image was specified using the {said} media type, but the image appears to be a "
            f"{found} image",
        )


def _pdf(data: bytes, said: str, path: str) -> None:
    if not media.is_pdf(data):
        raise errors.at(path.removesuffix(".source"), "The PDF specified was not valid.")


def _rules(block: str) -> dict[str, Rule]:
    """Those of blocks at this place."""
    return {
        f"{block}.id": limits.text(pattern=limits.ID),
        f"{block}.name": limits.text(shortest=1, longest=200),
        f"{block}.source": _source,
        f"{block}.source.url": limits.text(pattern="https?://.+"),
        f"{block}.title": limits.text(longest=500),
        f"{block}.tool_use_id": limits.text(pattern=limits.ID),
    }


RULES = {
    **_rules("messages[].content[]"),
    **_rules("messages[].content[].content[]"),
    **_rules("messages[].content[].source.content[]"),
    **_rules("messages[].content[].content[].source.content[]"),
}
