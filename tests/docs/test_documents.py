"""What the documents show works: commands run, answers are like the examples, links lead on."""

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from tests.docs.conftest import Shell
from tests.docs.sessions import assert_works, run_beside
from tests.docs.snippets import (
    DOCUMENTS,
    FOR_OLDER_FRONTENDS,
    IN_A_BROWSER,
    IN_ITS_OWN_ENVIRONMENT,
    MARKED,
    PRINTED,
    READ,
    ROOT,
    RUN,
    SHOWN,
    WITH_PROVIDERS,
    Block,
    blocks,
    changed,
    of,
    printed_after,
)

from cartrita.gateway.pricing import read_prices
from cartrita.settings import load
from cartrita.settings.sources import CLIENT_PREFIX, CONFIG_VARIABLE, ENTRIES
from cartrita_client.cli import environment as client_variables

WITHOUT_PROVIDERS = [
    each for each in DOCUMENTS if each not in (*WITH_PROVIDERS, *FOR_OLDER_FRONTENDS)
]


def placed(document: Path) -> str:
    """A document's place in the checkout."""
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=placed)
def test_every_block_is_of_a_kind_that_is_tried(document: Path) -> None:
    known = RUN | READ | IN_A_BROWSER | IN_ITS_OWN_ENVIRONMENT | MARKED | SHOWN
    assert [str(each) for each in blocks(document) if each.language not in known] == []


@pytest.mark.parametrize("block", of(*MARKED), ids=str)
def test_commands_that_are_not_run_here_are_marked(block: Block) -> None:
    assert block.mark in {"<!-- serve -->", "<!-- test -->"}


@pytest.mark.parametrize("block", run_beside(WITHOUT_PROVIDERS), ids=str)
def test_programs_and_commands_work(block: Block, shell: Shell) -> None:
    assert_works(block, shell)


@pytest.mark.parametrize("block", run_beside(FOR_OLDER_FRONTENDS), ids=str)
def test_programs_for_older_frontends_work(block: Block, older_shell: Shell) -> None:
    assert_works(block, older_shell)


@pytest.mark.parametrize("block", of("diff"), ids=str)
def test_a_program_that_is_changed_was_one(block: Block) -> None:
    assert {line[:1] for line in block.code.splitlines()} <= {"", " ", "-", "+"}
    compile(changed(block, "-"), str(block), "exec")


def test_a_text_that_is_printed_follows_what_prints_it() -> None:
    marked = [each for each in of("text") if each.mark == PRINTED]
    printed = [text for each in of(*RUN) if (text := printed_after(each))]
    assert marked == printed


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    json.loads(block.code)


@pytest.mark.parametrize("block", of("yaml"), ids=str)
def test_yaml_is_yaml(block: Block) -> None:
    assert yaml.safe_load(block.code)


@pytest.mark.parametrize("block", of("dotenv"), ids=str)
def test_variables_are_settings(block: Block, tmp_path: Path) -> None:
    without = load({}, tmp_path, {})
    (tmp_path / ".env").write_text(block.code)
    assert load({}, tmp_path, {}) != without


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_a_configuration_is_accepted(block: Block, tmp_path: Path) -> None:
    """Or a file that a setting names."""
    table = tomllib.loads(block.code)
    if block.mark == "<!-- prices -->":
        assert read_prices(table).prices
        return
    (tmp_path / "cartrita.toml").write_text(block.code)
    load({"EXAMPLE_API_KEY": "sk-example"}, tmp_path, {})


@pytest.mark.parametrize("document", DOCUMENTS, ids=placed)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"(?ms)^```.*?^```", "", document.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            path, _, fragment = target.partition("#")
            there = (document.parent / path).resolve() if path else document
            assert there.exists(), target
            if fragment and there.suffix == ".md":
                assert fragment in anchors(there), target


def anchors(document: Path) -> set[str]:
    """The fragments that headings make, as forges make them."""
    heads = re.findall(r"(?m)^#+ (.+)$", document.read_text())
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_files_that_the_texts_name_exist() -> None:
    for document in DOCUMENTS:
        for name in re.findall(
            r"`((?:tests|backend|docs|migrations)/[\w./-]+)`", document.read_text()
        ):
            assert (ROOT / name).exists(), f"{document.name} names {name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=placed)
def test_settings_that_the_texts_name_exist(document: Path) -> None:
    text = document.read_text()
    keys = {entry.key for entry in ENTRIES}
    groups = "|".join(sorted({key.partition(".")[0] for key in keys if "." in key}))
    named = set(re.findall(rf"`((?:{groups})\.[a-z_]+)`", text))
    files_of_its_own = {"postgres.log", "postgres.password"}
    assert named - keys - files_of_its_own == set()
    variables = {entry.env for entry in ENTRIES} | {CONFIG_VARIABLE}
    named = set(re.findall(r"\bCARTRITA_[A-Z_]+\b", text))
    ours = {each for each in named if not each.startswith(CLIENT_PREFIX)}
    read = {CLIENT_PREFIX, client_variables.KEY, client_variables.URL}
    assert ours - variables == set()
    assert named - ours <= read


def test_programs_that_the_texts_name_exist() -> None:
    text = "".join(document.read_text() for document in DOCUMENTS)
    for module in re.findall(r"python -m ([\w.]+)", text):
        assert module == "venv" or importlib.util.find_spec(module), module
    tasks = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["poe"]["tasks"]
    assert set(re.findall(r"`(?:\.venv/bin/)?poe ([a-z-]+)`", text)) <= set(tasks)
