"""The `abstractqa` command: what its exit codes mean, and how shells complete it.

0 is done (an answer that the abstracts do not say, too), 1 a problem told in one line on
stderr (`index` tells each damaged line of a file, and indexes the rest), 2 wrong usage,
130 interrupted.
"""

import argparse
import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from importlib.metadata import version

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
    shell = word("shell", "source its output in your shell", choices=("bash", "zsh"))
    own = {"eval": (evaluate, ()), "completion": (completion, (shell,))}
    added = add_commands(parser, "COMMAND", {**COMMANDS, **own})
    add_commands(added.choices["eval"], "KIND", KINDS)
    return parser


def evaluate(_: Namespace) -> None:
    """Measure retrieval and answers."""
    raise AssertionError("each kind of measuring runs itself")


def completion(arguments: Namespace) -> None:
    """Print a script with which a shell completes this command.

    It completes commands and options; other words are file names.
    """
    cases = "\n".join(
        f'    "{"".join(f"{name} " for name in path)}"*) offered="{" ".join(words)}" ;;'
        for path, words in sorted(_offered(build_parser()), reverse=True)
    )
    script = f"""_abstractqa() {{
  local offered line="${{COMP_WORDS[*]}}"
  case "${{line#* }}" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$offered" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _abstractqa abstractqa"""
    load = "autoload -U +X compinit bashcompinit && compinit && bashcompinit\n"
    print(load + script if arguments.shell == "zsh" else script)


def _offered(
    parser: argparse.ArgumentParser, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """What may follow each command: its subcommands, or its options."""
    words = [word for action in parser._actions for word in action.option_strings]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words = [*action.choices, *words]
            for name, inner in action.choices.items():
                yield from _offered(inner, (*path, name))
        elif action.choices and not action.option_strings:
            words = [*map(str, action.choices), *words]
    yield path, words


if __name__ == "__main__":
    sys.exit(main())
