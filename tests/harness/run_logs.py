"""Unfolding of folded run logs, written from their specification, without the product's code.

An item is `{"seq", "event"}`; where several texts of one kind were joined it has `ends`, the number
of code points after each of them, and stands for as many events with consecutive numbers.
"""

from typing import Any

Json = dict[str, Any]


def unfold(items: list[Json]) -> list[tuple[int, Json]]:
    """Every event with its seq, as it stood in the log before it was folded."""
    events: list[tuple[int, Json]] = []
    for item in items:
        event: Json = item["event"]
        if not item.get("ends"):
            events.append((item["seq"], event))
            continue
        start = 0
        for number, end in enumerate(item["ends"]):
            piece: Json = {**event, "text": event["text"][start:end]}
            if "position" in event:
                piece["position"] = event["position"] + start
            events.append((item["seq"] + number, piece))
            start = end
    return events
