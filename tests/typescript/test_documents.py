"""What the pages show in TypeScript compiles strictly, and works: one program a page."""

import json
from pathlib import Path

import pytest
from tests.docs.conftest import Shell
from tests.docs.conftest import shell as shell
from tests.docs.snippets import Block, of
from tests.laws.tree import ROOT
from tests.typescript import package
from tests.typescript.package import PACKAGE, PROGRAMS

pytestmark = pytest.mark.slow

_REACT = Path(__file__).parent / "react"
BLOCKS = [each for each in of("ts") if each.mark != "<!-- browser -->"]
PAGES = sorted({each.document for each in BLOCKS})
_HOOK = """
import { rendered } from 'react';
await rendered(useAnswer).ask('Good morning.');
const shown = rendered(useAnswer);
if (!shown.text || shown.error) throw new Error(`the hook shows ${JSON.stringify(shown)}`);
console.log('hook', shown.text);
"""
"""Uses the hook that the page shows as a component would."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_works(page: Path, node: str, shell: Shell, tmp_path: Path) -> None:
    blocks = [each for each in BLOCKS if each.document == page]
    session = "".join(told(each) for each in blocks)
    if "function useAnswer" in session:
        session += _HOOK
    source = tmp_path / "source"
    (source / "node_modules").mkdir(parents=True)
    (source / "node_modules" / "react").symlink_to(_REACT)
    (source / "page.ts").write_text(shell.fitted(session))
    (source / "node.d.ts").write_text((PROGRAMS / "node.d.ts").read_text())
    (source / "package.json").write_text('{"type": "module"}')
    (source / "tsconfig.json").write_text(configuration_text())
    programs = package.compiled(node, source, tmp_path / "made")
    (tmp_path / "made" / "node_modules" / "react").symlink_to(_REACT)
    printed = programs.printed("page", tmp_path)
    assert printed.count("=== ") == len(blocks)
    for block in blocks:
        said = printed.partition(f"=== {block.line}\n")[2].partition("===")[0]
        assert said.strip() or "console.log" not in block.code, f"{block} prints nothing"


def told(block: Block) -> str:
    return f"console.log('=== {block.line}');\n{block.code}"


def configuration_text() -> str:
    """The package's own strictness, for a page."""
    client = str(PACKAGE / "dist" / "index.d.ts")
    options = {"rootDir": ".", "paths": {"@cartrita/client": [client]}, "noUnusedLocals": False}
    found = {"extends": str(PACKAGE / "tsconfig.json"), "compilerOptions": options}
    return json.dumps({**found, "include": ["."]})
