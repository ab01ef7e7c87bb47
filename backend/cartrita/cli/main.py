"""The `cartrita` command line: each command is a module of `commands`, imported when it is used."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

import structlog

from cartrita import logs
from cartrita.adapters.postgres.errors import DataDirectoryInUse
from cartrita.cli.log_output import configure_logs, require_log_file
from cartrita.domain.errors import CartritaError
from cartrita.kit.operator_error import OperatorError
from cartrita.settings import Settings, SettingsError, environment, load

log = structlog.get_logger(__name__)

_USAGE = 2
Command: TypeAlias = Callable[[Settings, argparse.Namespace], None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; exits 1 if it failed and 2 if it was called wrongly."""
    given = _parser().parse_args(arguments)
    logs.configure()
    try:
        _run(given)
    except SettingsError as error:
        _refuse(*error.errors, code=_USAGE)
    except DataDirectoryInUse as error:
        _refuse(str(error), code=_USAGE)
    except (OperatorError, CartritaError) as error:
        _refuse(str(error), code=1)
    except OSError as error:
        _refuse(f"{error.filename or 'The system'}: {error.strerror}", code=1)
    except KeyboardInterrupt:
        _refuse("Stopped.", code=130)
    except Exception:
        log.exception("command_failed", command=given.command)  # Python would print values too
        raise SystemExit(1) from None


def _run(given: argparse.Namespace) -> None:
    try:
        settings = load(environment(), Path.cwd(), _overrides(given))
    except SettingsError as error:
        if given.command != "doctor":
            raise
        import_module("cartrita.cli.commands.doctor").refuse(error.errors, given)
        raise
    configure_logs(settings, require_log_file(settings) if given.command == "serve" else None)
    for warning in () if given.command == "doctor" else settings.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    run: Command = import_module(f"cartrita.cli.commands.{given.command}").run
    run(settings, given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cartrita", description="An assistant backend that people own."
    )
    parser.add_argument("--data-dir", help="where everything is kept (CARTRITA_DATA_DIR)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    serving = commands.add_parser("serve", help="run the server")
    serving.add_argument("--host", help="the address to listen on (CARTRITA_HOST)")
    serving.add_argument("--port", help="the port to listen on (CARTRITA_PORT)")
    serving.add_argument("--workers", help="how many processes answer (CARTRITA_WORKERS)")

    commands.add_parser("migrate", help="bring the database to this version's schema")
    commands.add_parser("login", help="print a new sign-in link for the running server")

    keys = commands.add_parser("keys", help="API keys").add_subparsers(dest="verb", required=True)
    creating = keys.add_parser("create", help="make a key; it is shown once")
    creating.add_argument("name", help="what it is for")
    creating.add_argument("--owner", help="the user whose data it opens; a new one without it")
    creating.add_argument("--tenant", help="of a new user; one of its own without it")
    creating.add_argument(
        "--scope",
        action="append",
        default=[],
        help="what it may do: provider=, model=, operation= or tool=NAME, each repeatable, and "
        "requests_per_minute= or tokens_per_minute=NUMBER",
    )
    creating.add_argument("--days", type=_up_to(36_500), help="until it expires; never without it")
    keys.add_parser("list", help="the keys there are").add_argument("--owner", help="of this user")
    rotating = keys.add_parser("rotate", help="make the successor of a key")
    rotating.add_argument("id", help="as `keys list` shows it")
    rotating.add_argument(
        "--overlap", type=_up_to(7_776_000), help="for how many seconds the old key works"
    )
    keys.add_parser("revoke", help="end a key").add_argument("id", help="as `keys list` shows it")

    _add_credentials(commands.add_parser("credentials", help="keys of providers that users bring"))
    _add_users(commands.add_parser("users", help="whose data is kept"))
    _add_tenants(commands.add_parser("tenants", help="organisations of users"))
    _add_budgets(commands.add_parser("budgets", help="what may be used of models"))

    listing = commands.add_parser("providers", help="model providers")
    verbs = listing.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="the configured and the discovered ones")
    checking = verbs.add_parser("check", help="test the connection to one, or to all")
    checking.add_argument("name", nargs="?", help="as `providers list` shows it")
    checking.add_argument("--full", action="store_true", help="also call a model; costs tokens")

    _add_doctor(commands.add_parser("doctor", help="look for what is wrong, and how to mend it"))

    saving = commands.add_parser("backup", help="write everything into one file")
    saving.add_argument("file", type=Path)
    saving.add_argument("--replace", action="store_true", help="overwrite the file")
    restoring = commands.add_parser("restore", help="read a backup into an empty database")
    restoring.add_argument("file", type=Path)

    writing = commands.add_parser("contract", help="regenerate the contract and the reference")
    writing.add_argument("--into", type=Path, default=Path(), help="the top of the checkout")
    writing.add_argument(
        "--since",
        type=Path,
        help="print what changed since the contract in a folder",
    )
    return parser


def _add_doctor(examining: argparse.ArgumentParser) -> None:
    examining.add_argument("--json", action="store_true", help="for programs")
    examining.add_argument(
        "--url", type=_web_address, help="also look whether chunks arrive one by one from there"
    )
    examining.add_argument("--model", help="that is asked there; the offline model without it")
    examining.add_argument(
        "--timeout", type=_up_to(600), default=10.0, help="seconds for each thing; 10 without it"
    )


def _web_address(text: str) -> str:
    if not text.startswith(("http://", "https://")) or "@" in text or "?" in text:
        raise argparse.ArgumentTypeError("it is no address such as https://chat.example.com")
    return text


def _add_credentials(credentials: argparse.ArgumentParser) -> None:
    verbs = credentials.add_subparsers(dest="verb", required=True)
    adding = verbs.add_parser("add", help="store a key, which is asked for or piped in")
    adding.add_argument("provider", help="whose key it is, as `providers list` shows it")
    listing = verbs.add_parser("list", help="a user's own, and those of the tenant")
    for verb in (adding, listing):
        whose = verb.add_mutually_exclusive_group()
        whose.add_argument("--owner", help="the user; the server's operator without it")
        whose.add_argument("--tenant", help="the tenant, for all of its users")
    rotating = verbs.add_parser("rotate", help="replace one by another key")
    rotating.add_argument("id", help="as `credentials list` shows it")
    rotating.add_argument("--overlap", type=float, help="for how many seconds the old one pays")
    revoking = verbs.add_parser("revoke", help="end one, and delete its key")
    revoking.add_argument("id", help="as `credentials list` shows it")


def _add_users(users: argparse.ArgumentParser) -> None:
    verbs = users.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="all users").add_argument("--tenant", help="of this tenant")
    creating = verbs.add_parser("create", help="make a user, without a key")
    creating.add_argument("id", help="the owner of what the user stores")
    creating.add_argument("--tenant", required=True, help="whose user it is")
    creating.add_argument("--admin", action="store_true", help="who administers the tenant")
    for verb, what in (("disable", "stop the keys of a user"), ("enable", "let them work again")):
        verbs.add_parser(verb, help=what).add_argument("id", help="as `users list` shows it")


def _add_tenants(tenants: argparse.ArgumentParser) -> None:
    verbs = tenants.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="all tenants")
    verbs.add_parser("create", help="make a tenant, without users").add_argument("id")
    for verb, what in (("disable", "stop the keys of its users"), ("enable", "let them work")):
        verbs.add_parser(verb, help=what).add_argument("id", help="as `tenants list` shows it")


def _add_budgets(budgets: argparse.ArgumentParser) -> None:
    verbs = budgets.add_subparsers(dest="verb", required=True)
    setting = verbs.add_parser("set", help="give it these and no others; without any, none")
    for parser in (setting, verbs.add_parser("show", help="those there are, and what is used")):
        parser.add_argument("kind", choices=("key", "user", "tenant"))
        parser.add_argument("id", help="as `keys`, `users` or `tenants list` shows it")
    for period in ("day", "month"):
        setting.add_argument(f"--{period}-money", help=f"US dollars a {period}")
        setting.add_argument(f"--{period}-tokens", help=f"tokens a {period}")


def _up_to(most: int) -> Callable[[str], float]:
    def number(text: str) -> float:
        found = float(text)
        if not 0 <= found <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to {most:,}")
        return found

    return number


def _overrides(given: argparse.Namespace) -> dict[str, object]:
    values = vars(given)
    return {
        "data_dir": values.get("data_dir"),
        "server.host": values.get("host"),
        "server.port": values.get("port"),
        "server.workers": values.get("workers"),
    }


def _refuse(*sentences: str, code: int) -> None:
    for sentence in sentences:
        print(f"cartrita: {sentence}", file=sys.stderr)
    raise SystemExit(code)
