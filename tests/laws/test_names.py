"""One word for one thing: but for the surfaces, a public class has its name to itself."""

import ast
from collections import defaultdict

from tests.laws.tree import PACKAGE, files, name, parsed

_FLOORS = ("kit", "domain", "gateway", "tools", "agents", "application", "adapters")


def test_public_classes_have_names_of_their_own() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for floor in _FLOORS:
        for path in files(PACKAGE / floor, ".py"):
            for node in parsed(path).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(name(path))
    assert len(places) > 50
    assert {each: where for each, where in places.items() if len(where) > 1} == {}
