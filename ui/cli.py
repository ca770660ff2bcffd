"""The `abstractqa` command: what its exit codes mean, and how shells complete it.

0 is done (an answer that the abstracts do not say, too), 1 a problem told in one line on
stderr (`index` tells each damaged line of a file, and indexes the rest), 2 wrong usage,
130 interrupted.
"""

import argparse
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib.metadata import version

import shtab

from index.errors import AbstractQAError
from ui.arguments import add_commands, word
from ui.commands import COMMANDS
from ui.verbs import KINDS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default the process's own."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character shows "?"
            stream.reconfigure(errors="replace")
    if hasattr(sys.stdin, "reconfigure"):  # what is no text is told where it is read
        sys.stdin.reconfigure(errors="surrogateescape")
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    try:
        code: int = arguments.does(arguments) or 0
        sys.stdout.flush()
    except AbstractQAError as error:
        return _problem(str(error))
    except KeyboardInterrupt:
        _problem("interrupted")
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not fail again while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _problem(f"{where}{error.strerror or error}")
    return code


def _problem(text: str) -> int:
    print(f"abstractqa: {' '.join(text.split())}", file=sys.stderr)
    return 1


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="abstractqa",
        description="Ask paper abstracts; every sentence of an answer cites the one behind it.",
    )
    parser.add_argument(
        "--version", action="version", version=f"abstractqa {version('abstractqa')}"
    )
    shell = word("shell", 'as in: eval "$(abstractqa completion bash)"', choices=("bash", "zsh"))
    own = {"eval": (evaluate, ()), "completion": (completion, (shell,))}
    added = add_commands(parser, "COMMAND", {**COMMANDS, **own})
    add_commands(added.choices["eval"], "KIND", KINDS)
    return parser


def evaluate(_: Namespace) -> None:
    """Measure retrieval and answers."""
    raise AssertionError("each kind of measuring runs itself")


def completion(arguments: Namespace) -> None:
    """Print a script with which a shell completes this command."""
    begun = "autoload -Uz compinit && compinit\n" if arguments.shell == "zsh" else ""
    print(begun + shtab.complete(build_parser(), shell=arguments.shell))


if __name__ == "__main__":
    sys.exit(main())
