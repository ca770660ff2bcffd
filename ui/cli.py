"""The `abstractqa` command: its arguments, and what its exit codes mean.

0 is done (an answer that the abstracts do not say, too), 1 a problem told in one line on
stderr (`index` tells each damaged line of a file, and indexes the rest), 2 wrong usage,
130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from ipaddress import ip_network
from typing import TYPE_CHECKING

from index.errors import AbstractQAError
from ui.evaluation.arguments import MODES, add_eval, add_store, path

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]


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
    # Imported here: `--help` and wrong usage answer at once.
    from ui.commands import COMMANDS

    try:
        code = COMMANDS[arguments.command](arguments)
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
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_index(commands)
    _add_ask(commands)
    _add_search(commands)
    _add_table(commands)
    _add_papers(commands)
    _add_ui(commands)
    add_eval(commands)
    doctor = commands.add_parser("doctor", help="check index, models and page; say what to do")
    add_store(doctor)
    _add_json(doctor)
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document and no more")


def _add_mode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mode", choices=MODES, default="auto", help="how to write the answer")


def _add_index(commands: "_Commands") -> None:
    index = commands.add_parser("index", help="read files of abstracts into the index")
    index.add_argument(
        "paths", nargs="*", metavar="PATH", help="a file, an archive, a folder, or - for stdin"
    )
    index.add_argument(
        "--format", default="auto", help="the files' format (default: told by their content)"
    )
    index.add_argument(
        "--columns",
        default="",
        metavar="FIELD=HEADING,…",
        help="columns of a table whose headings do not tell, as title=Name,abstract=Text",
    )
    index.add_argument(
        "--no-merge", action="store_true", help="keep entries apart that are one paper"
    )
    index.add_argument(
        "--watch",
        metavar="FOLDER",
        type=path,
        help="index this folder, and go on with each file that comes into it",
    )
    index.add_argument(
        "--year",
        type=int,
        metavar="YYYY",
        help="year of digest dates without one (default: as other dates of the file say, or else"
        " the year in which it was last modified)",
    )
    index.add_argument(
        "--preview", action="store_true", help="tell what would be indexed, and write nothing"
    )
    index.add_argument(
        "--remove",
        action="append",
        default=[],
        metavar="TITLE_OR_ID",
        help="take this paper out of the index; may be repeated",
    )
    index.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="where texts are encoded: here, or by the workers of a Ray cluster",
    )
    index.add_argument(
        "--address",
        metavar="ADDRESS",
        help="the Ray cluster, as ray://host:10001 or auto (default: one on this machine)",
    )
    index.add_argument(
        "--resume",
        action="store_true",
        help="encode what a run that was stopped left out",
    )
    index.add_argument(
        "--undo", action="store_true", help="go back to the index before the last change"
    )
    add_store(index)
    _add_json(index)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--digest",
        action="append",
        default=[],
        metavar="D",
        help="only papers of this digest, by name or date; may be repeated",
    )
    parser.add_argument(
        "--since", metavar="DATE", help="only digests from this day on (2025-03-14)"
    )
    parser.add_argument("--until", metavar="DATE", help="only digests up to this day, inclusive")


def _add_ask(commands: "_Commands") -> None:
    ask = commands.add_parser("ask", help="answer a question from the abstracts")
    ask.add_argument("question", metavar="QUESTION", help="in plain words; - reads standard input")
    _add_mode(ask)
    _add_filters(ask)
    add_store(ask)
    _add_json(ask)
    chat = commands.add_parser("chat", help="ask one question after another in the terminal")
    _add_mode(chat)
    _add_filters(chat)
    add_store(chat)


def _add_table(commands: "_Commands") -> None:
    table = commands.add_parser("table", help="compare papers in a table of quotes")
    table.add_argument("question", metavar="QUESTION")
    table.add_argument(
        "--columns", metavar="NAMES", help="what to compare, as in 'method, training data, result'"
    )
    table.add_argument(
        "--paper",
        action="append",
        default=[],
        metavar="TITLE",
        help="compare this paper, by title or id; may be repeated",
    )
    table.add_argument(
        "--limit", type=int, default=8, metavar="N", help="papers at most (default: 8)"
    )
    _add_mode(table)
    _add_filters(table)
    table.add_argument("--csv", type=path, metavar="FILE", help="write the table there, too")
    form = table.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print a Markdown table")
    form.add_argument("--json", action="store_true", help="print one JSON document and no more")
    add_store(table)


def _add_papers(commands: "_Commands") -> None:
    papers = commands.add_parser("papers", help="list the papers of the index, or export them")
    _add_filters(papers)
    papers.add_argument("--title", metavar="TEXT", help="only papers with this in their title")
    papers.add_argument(
        "--export",
        type=path,
        metavar="FILE",
        help="write them to FILE, in the format of its ending: .bib, .ris, .csv or .jsonl",
    )
    add_store(papers)
    _add_json(papers)


def _add_search(commands: "_Commands") -> None:
    search = commands.add_parser("search", help="list the papers nearest to a query")
    search.add_argument("query", metavar="QUERY")
    search.add_argument(
        "--limit", type=int, default=10, metavar="N", help="papers at most (default: 10)"
    )
    _add_filters(search)
    add_store(search)
    _add_json(search)


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError as error:
        told = f"{text!r} is no address or network, as 127.0.0.1 or 10.0.0.0/8 are"
        raise argparse.ArgumentTypeError(told) from error


def _add_ui(commands: "_Commands") -> None:
    ui = commands.add_parser("ui", help="serve the web page")
    ui.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    ui.add_argument("--port", type=int, default=7860, help="default: %(default)s")
    ui.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        type=str.lower,
        metavar="NAME",
        help="a name by which browsers reach the page, as papers.example; may be repeated",
    )
    ui.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        type=_network,
        metavar="ADDRESS",
        help="a proxy (or a network of them) to be believed on who asks and by which name, over"
        " http or https; may be repeated",
    )
    ui.add_argument(
        "--mcp", action="store_true", help="serve ask, search, papers and table as MCP tools, too"
    )
    ui.add_argument(
        "--auth",
        type=path,
        metavar="FILE",
        help="ask for a login; FILE has a line name:hash for each person",
    )
    ui.add_argument(
        "--add-user",
        metavar="NAME",
        help="add a person to the FILE of --auth, or give one a new password, and no more",
    )
    ui.add_argument(
        "--model-settings",
        action="store_true",
        help="let everybody who logs in set the chat model's address and key on the page",
    )
    ui.add_argument(
        "--sample", action="store_true", help="index the bundled sample if there is no index"
    )
    ui.add_argument(
        "--watch",
        metavar="FOLDER",
        type=path,
        help="index this folder, and each file that comes into it while the page is served",
    )
    add_store(ui)


if __name__ == "__main__":
    sys.exit(main())
