"""The places of parts, by which refusals name them."""

import msgspec

from cartrita.domain.messages import Attachment, Text
from cartrita.domain.places import Place, Places


def test_equal_parts_have_places_of_their_own() -> None:
    places = Places()
    first, second = Text("a"), Text("a")
    places.add(first, "messages[0].content[0]")
    places.add(second, "messages[0].content[1]")
    assert places.find(first) == Place("messages[0].content[0]", "messages[0].content[0]")
    assert places.find(second) == Place("messages[0].content[1]", "messages[0].content[1]")
    assert places.find(Text("a")) is None


def test_what_a_part_holds_is_below_it() -> None:
    places, image = Places(), Attachment("image/png", url="data:,")
    places.add(image, "input[0].content[0]", "image_url")
    found = places.find(image)
    assert found is not None
    assert found.content == "input[0].content[0].image_url"


def test_places_are_no_part_of_what_is_asked() -> None:
    places = Places()
    places.add(Text("a"), "system.0")
    assert places == Places()
    assert msgspec.json.encode(places) == b"{}"
