"""What the pages about SDKs and providers show works, beside a server with scripted providers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.conftest import Shell
from tests.docs.sessions import assert_works, run_beside
from tests.docs.snippets import ROOT, WITH_PROVIDERS, Block, alone, of

_LANGCHAIN = ROOT / "tests" / "sdks" / "langchain" / "requirements.lock"
_DECLARATION = re.compile(r"(?ms)^interface \w+ \{.*?^\}\n")
_ANNOTATION = re.compile(r"(?<=[\w)]): [A-Z]\w*(?:<\w+>|\[\])?(?=[ ,;)\n])")


@pytest.mark.parametrize("block", run_beside(WITH_PROVIDERS), ids=str)
def test_programs_and_commands_work(block: Block, gateway_shell: Shell) -> None:
    assert_works(block, gateway_shell)


@pytest.mark.slow
@pytest.mark.parametrize("block", of("typescript"), ids=str)
def test_programs_in_typescript_work(block: Block, gateway_shell: Shell) -> None:
    """Without their types, which Node 20 does not read."""
    program = gateway_shell.folder / "program.mjs"
    program.write_text(gateway_shell.fitted(without_types(block.code)))
    assert printed(["node", str(program)]).count("\n") >= 2


@pytest.mark.slow
@pytest.mark.parametrize("block", [each for each in of("python") if alone(each)], ids=str)
def test_programs_for_langchain_work(block: Block, gateway_shell: Shell, tmp_path: Path) -> None:
    """In an environment of LangChain's own, because this one does not have it."""
    uv = str(Path(sys.executable).with_name("uv"))
    printed([uv, "venv", "-q", str(tmp_path)])
    printed([uv, "pip", "install", "-q", "--python", str(tmp_path), "-r", str(_LANGCHAIN)])
    assert printed([str(tmp_path / "bin" / "python"), "-c", gateway_shell.fitted(block.code)])


def without_types(code: str) -> str:
    """The JavaScript of a program in the TypeScript that the pages use."""
    code = _ANNOTATION.sub("", _DECLARATION.sub("", code))
    return code.replace("private ", "").replace("!.", ".")


def printed(command: list[str]) -> str:
    """What a command that works prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout
