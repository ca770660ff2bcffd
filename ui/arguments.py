"""Building blocks of the command line: tables of commands, and the arguments that they take."""

import argparse
from argparse import Namespace
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shtab

if TYPE_CHECKING:
    from rag.settings import Settings

Argument = tuple[str, dict[str, Any]]
"""The name of an argument or option, and the keyword arguments that `add_argument` takes for it."""
Run = Callable[[Namespace], int | None]
"""Runs a command and returns the exit code; None is 0. Its docstring begins with the help text."""
Entry = tuple[Run, tuple[Argument, ...]]


def command(table: dict[str, Entry], *arguments: Argument) -> Callable[[Run], Run]:
    """Return a decorator that adds a function to `table` as a command with these arguments."""

    def add(run: Run) -> Run:
        table[run.__name__] = run, arguments
        return run

    return add


def add_commands(
    parser: argparse.ArgumentParser, metavar: str, commands: Mapping[str, Entry]
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """Add subcommands to a parser; it stores the function of the chosen one as `does`."""
    added = parser.add_subparsers(required=True, metavar=metavar)
    for name, (run, arguments) in commands.items():
        about = (run.__doc__ or "").partition("\n")[0]
        command = added.add_parser(name, help=about[:1].lower() + about[1:-1], description=about)
        command.set_defaults(does=run)
        for argument, settings in arguments:
            action = command.add_argument(argument, **settings)
            if settings.get("type") is path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    return added


def settings_of(arguments: Namespace) -> "Settings":
    """Load the settings; `--store`, if given, replaces their store."""
    from rag.settings import load_settings  # slow: only commands that need it wait

    settings = load_settings()
    store: Path | None = getattr(arguments, "store", None)
    return settings.model_copy(update={"store": store}) if store else settings


def path(text: str) -> Path:
    """Parse a path; refuse an empty one, which would mean the working folder."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def network(text: str) -> str:
    """Parse an IP address or network."""
    try:
        return str(ip_network(text, strict=False))
    except ValueError as error:
        message = f"{text!r} is not an IP address or network, such as 127.0.0.1 or 10.0.0.0/8"
        raise argparse.ArgumentTypeError(message) from error


def word(name: str, about: str | None = None, **more: Any) -> Argument:
    """Declare an argument or option whose value is a text."""
    return name, {"help": about, **more}


def many(name: str, about: str, **more: Any) -> Argument:
    """Declare an option that may be repeated; its values make a list."""
    return word(name, f"{about}; may be repeated", action="append", default=[], **more)


def file(name: str, about: str | None = None, metavar: str = "FILE", **more: Any) -> Argument:
    """Declare an argument or option whose value is a path."""
    return word(name, about, type=path, metavar=metavar, **more)


def number(
    name: str, about: str, default: float | None = None, metavar: str = "N", **more: Any
) -> Argument:
    """Declare an option whose value is an int, or a float if the default is one."""
    text = f"{about} (default: {default})" if default is not None else about
    kind = float if isinstance(default, float) else int
    return word(name, text, type=kind, metavar=metavar, default=default, **more)


def switch(name: str, about: str) -> Argument:
    """Declare an option without a value, true if given."""
    return word(name, about, action="store_true")


STORE = file("--store", "the index's folder (default: ABSTRACTQA_STORE)", "DIR")
JSON = switch("--json", "print only one JSON document")
MODES = ("auto", "extractive", "generative")
MODE = word("--mode", "how to write the answer", choices=MODES, default="auto")
FILTERS = (
    many("--digest", "only papers of this digest, by name or date", metavar="D"),
    word("--since", "only digests from this day on (2025-03-14)", metavar="DATE"),
    word("--until", "only digests up to this day, inclusive", metavar="DATE"),
)
