"""The `abstractqa` command: its arguments, and what its exit codes mean.

0 is done (an answer that the abstracts do not say, too), 1 a problem told in one line on
stderr (`index` tells each damaged line of a file, and indexes the rest), 2 wrong usage,
130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from ipaddress import ip_network
from typing import Any

from index.errors import AbstractQAError
from ui.evaluation.arguments import MODES, add_eval, add_store, path

Argument = tuple[str, dict[str, Any]]
"""A name or an option, and what `add_argument` takes beside it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default the process's own."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character shows "?"
            stream.reconfigure(errors="replace")
    if hasattr(sys.stdin, "reconfigure"):  # what is no text is told where it is read
        sys.stdin.reconfigure(errors="surrogateescape")
    parser = build_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    if arguments.command == "completion":
        print(completion(parser, arguments.shell))
        return 0
    # Imported here: `--help` and wrong usage answer at once.
    from ui.commands import COMMANDS

    try:
        code = COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
    except AbstractQAError as error:
        return _problem("; ".join([str(error), *getattr(error, "__notes__", ())]))
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
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (about, arguments) in _COMMANDS.items():
        command = commands.add_parser(name, help=about)
        for argument, settings in arguments:
            command.add_argument(argument, **settings)
        if name not in _WITHOUT_STORE:
            add_store(command)
    form = commands.choices["table"].add_mutually_exclusive_group()
    for argument, settings in (_switch("--markdown", "print a Markdown table"), _JSON):
        form.add_argument(argument, **settings)
    add_eval(commands)
    return parser


def _option(name: str, metavar: str, about: str, **more: Any) -> Argument:
    return name, {"metavar": metavar, "help": about, **more}


def _many(name: str, metavar: str, about: str, **more: Any) -> Argument:
    return _option(name, metavar, f"{about}; may be repeated", action="append", default=[], **more)


def _switch(name: str, about: str) -> Argument:
    return name, {"action": "store_true", "help": about}


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError as error:
        told = f"{text!r} is no address or network, as 127.0.0.1 or 10.0.0.0/8 are"
        raise argparse.ArgumentTypeError(told) from error


_JSON = _switch("--json", "print one JSON document and no more")
_MODE: Argument = (
    "--mode",
    {"choices": MODES, "default": "auto", "help": "how to write the answer"},
)
_FILTERS = (
    _many("--digest", "D", "only papers of this digest, by name or date"),
    _option("--since", "DATE", "only digests from this day on (2025-03-14)"),
    _option("--until", "DATE", "only digests up to this day, inclusive"),
)
_INDEX = (
    _option("paths", "PATH", "a file, an archive, a folder, or - for stdin", nargs="*"),
    ("--format", {"default": "auto", "help": "the files' format (default: told by their content)"}),
    _option(
        "--columns",
        "FIELD=HEADING,…",
        "columns of a table whose headings do not tell, as title=Name,abstract=Text",
        default="",
    ),
    _switch("--no-merge", "keep entries apart that are one paper"),
    _option(
        "--watch",
        "FOLDER",
        "index this folder, and go on with each file that comes into it",
        type=path,
    ),
    _option(
        "--year",
        "YYYY",
        "year of digest dates without one (default: as other dates of the file say, or else the"
        " year in which it was last modified)",
        type=int,
    ),
    _switch("--preview", "tell what would be indexed, and write nothing"),
    _many("--remove", "TITLE_OR_ID", "take this paper out of the index"),
    (
        "--engine",
        {
            "choices": ("local", "ray"),
            "default": "local",
            "help": "where texts are encoded: here, or by the workers of a Ray cluster",
        },
    ),
    _option(
        "--address",
        "ADDRESS",
        "the Ray cluster, as ray://host:10001 or auto (default: one on this machine)",
    ),
    _switch("--resume", "encode what a run that was stopped left out"),
    _switch("--undo", "go back to the index before the last change"),
    _JSON,
)
_TABLE = (
    ("question", {"metavar": "QUESTION"}),
    _option("--columns", "NAMES", "what to compare, as in 'method, training data, result'"),
    _many("--paper", "TITLE", "compare this paper, by title or id"),
    _option("--limit", "N", "papers at most (default: 8)", type=int, default=8),
    _MODE,
    *_FILTERS,
    _option("--csv", "FILE", "write the table there, too", type=path),
)
_UI = (
    ("--host", {"default": "127.0.0.1", "help": "address to listen on (default: %(default)s)"}),
    ("--port", {"type": int, "default": 7860, "help": "default: %(default)s"}),
    _many(
        "--allowed-host",
        "NAME",
        "a name by which browsers reach the page, as papers.example",
        type=str.lower,
    ),
    _many(
        "--trusted-proxy",
        "ADDRESS",
        "a proxy (or a network of them) to be believed on who asks and by which name, over http or"
        " https",
        type=_network,
    ),
    _switch("--mcp", "serve ask, search, papers and table as MCP tools, too"),
    _option(
        "--auth",
        "FILE",
        "ask for a login; FILE has a line name:hash for each person",
        type=path,
    ),
    _option(
        "--add-user",
        "NAME",
        "add a person to the FILE of --auth, or give one a new password, and no more",
    ),
    _switch(
        "--model-settings",
        "let everybody who logs in set the chat model's address and key on the page",
    ),
    _switch("--sample", "index the bundled sample if there is no index"),
    _option(
        "--watch",
        "FOLDER",
        "index this folder, and each file that comes into it while the page is served",
        type=path,
    ),
)
_COMMANDS: dict[str, tuple[str, Sequence[Argument]]] = {
    "index": ("read files of abstracts into the index", _INDEX),
    "ask": (
        "answer a question from the abstracts",
        (
            _option("question", "QUESTION", "in plain words; - reads standard input"),
            *(_MODE, *_FILTERS, _JSON),
        ),
    ),
    "chat": ("ask one question after another in the terminal", (_MODE, *_FILTERS)),
    "search": (
        "list the papers nearest to a query",
        (
            ("query", {"metavar": "QUERY"}),
            _option("--limit", "N", "papers at most (default: 10)", type=int, default=10),
            *(*_FILTERS, _JSON),
        ),
    ),
    "table": ("compare papers in a table of quotes", _TABLE),
    "papers": (
        "list the papers of the index, or export them",
        (
            *_FILTERS,
            _option("--title", "TEXT", "only papers with this in their title"),
            _option(
                "--export",
                "FILE",
                "write them to FILE, in the format of its ending: .bib, .ris, .csv or .jsonl",
                type=path,
            ),
            _JSON,
        ),
    ),
    "ui": ("serve the web page", _UI),
    "doctor": ("check index, models and page; say what to do", (_JSON,)),
    "completion": (
        "print a script with which a shell completes this command",
        (("shell", {"choices": ("bash", "zsh"), "help": "source its output in your shell"}),),
    ),
}
_WITHOUT_STORE = ("completion",)


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """A script for bash or zsh that completes commands and options; other words are file names."""
    cases = "\n".join(
        f'    "{"".join(f"{name} " for name in path)}"*) offered="{" ".join(words)}" ;;'
        for path, words in sorted(_offered(parser), reverse=True)
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
    return load + script if shell == "zsh" else script


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
