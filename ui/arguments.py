"""The words of the command line, as data: commands, and the arguments they take."""

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
"""A name or an option, and what `add_argument` takes beside it."""
Command = tuple[Callable[[Namespace], int | None], tuple[Argument, ...]]
"""What a command does, and its arguments.

The first line of its docstring is its help; what it returns is the exit code, None is 0.
"""


def command(
    table: dict[str, Command], *arguments: Argument
) -> Callable[[Callable[[Namespace], int | None]], Callable[[Namespace], int | None]]:
    """Make a function the command of its name in a table, with these arguments."""

    def add(does: Callable[[Namespace], int | None]) -> Callable[[Namespace], int | None]:
        table[does.__name__] = does, arguments
        return does

    return add


def add_commands(
    parser: argparse.ArgumentParser, metavar: str, commands: Mapping[str, Command]
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """Give a parser commands; `does` of what it parses is what the command does."""
    added = parser.add_subparsers(required=True, metavar=metavar)
    for name, (does, arguments) in commands.items():
        about = (does.__doc__ or "").partition("\n")[0]
        command = added.add_parser(name, help=about[:1].lower() + about[1:-1], description=about)
        command.set_defaults(does=does)
        for argument, settings in arguments:
            action = command.add_argument(argument, **settings)
            if settings.get("type") is path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    return added


def settings_of(arguments: Namespace) -> "Settings":
    """The settings, with the store of the command line if one was given."""
    from rag.settings import load_settings  # no command that needs none waits for it

    settings = load_settings()
    store: Path | None = getattr(arguments, "store", None)
    return settings.model_copy(update={"store": store}) if store else settings


def path(text: str) -> Path:
    """A path from the command line; an empty one would be the working folder."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def network(text: str) -> str:
    """An address or a network from the command line."""
    try:
        return str(ip_network(text, strict=False))
    except ValueError as error:
        message = f"{text!r} is no address or network, as 127.0.0.1 or 10.0.0.0/8 are"
        raise argparse.ArgumentTypeError(message) from error


def word(name: str, about: str | None = None, **more: Any) -> Argument:
    """An argument that is a text."""
    return name, {"help": about, **more}


def many(name: str, about: str, **more: Any) -> Argument:
    """An option that may be repeated."""
    return word(name, f"{about}; may be repeated", action="append", default=[], **more)


def file(name: str, about: str | None = None, metavar: str = "FILE", **more: Any) -> Argument:
    """An argument that is a path."""
    return word(name, about, type=path, metavar=metavar, **more)


def number(
    name: str, about: str, default: float | None = None, metavar: str = "N", **more: Any
) -> Argument:
    """An option that is a whole number, or any number where the default is one."""
    shown = f"{about} (default: {default})" if default is not None else about
    kind = float if isinstance(default, float) else int
    return word(name, shown, type=kind, metavar=metavar, default=default, **more)


def switch(name: str, about: str) -> Argument:
    """An option that is given or not."""
    return word(name, about, action="store_true")


STORE = file("--store", "the index's folder (default: ABSTRACTQA_STORE)", "DIR")
JSON = switch("--json", "print one JSON document and no more")
MODES = ("auto", "extractive", "generative")
MODE = word("--mode", "how to write the answer", choices=MODES, default="auto")
FILTERS = (
    many("--digest", "only papers of this digest, by name or date", metavar="D"),
    word("--since", "only digests from this day on (2025-03-14)", metavar="DATE"),
    word("--until", "only digests up to this day, inclusive", metavar="DATE"),
)
