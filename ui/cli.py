"""The `abstractqa` command: its subcommands, exit codes and shell completion.

Exit codes: 0 success (also when the abstracts do not answer), 1 an error, printed on stderr as
one line (`index` prints each damaged line of a file, and indexes the rest), 2 wrong usage,
130 interrupted. Heavy imports are inside functions, so that each command waits only for its own.
"""

import argparse
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from getpass import getpass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import shtab

from index.errors import AbstractQAError, InputError
from ui import indexing, terminal
from ui.arguments import (
    FILTERS,
    JSON,
    MODE,
    STORE,
    Entry,
    add_commands,
    command,
    file,
    many,
    network,
    number,
    settings_of,
    switch,
    word,
)
from ui.terminal import as_text, note, say, say_result
from ui.verbs import KINDS, encoder_of

if TYPE_CHECKING:
    from index.embedding import SentenceEncoder
    from rag import Assistant
    from rag.schema import Filters
    from rag.settings import Settings
    from ui.web.accounts import Accounts
    from ui.web.own_host import Reach

_T = TypeVar("_T")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; `argv` defaults to the process's arguments."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character shows "?"
            stream.reconfigure(errors="replace")
    if hasattr(sys.stdin, "reconfigure"):  # `as_text` reports input that is not UTF-8
        sys.stdin.reconfigure(errors="surrogateescape")
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    try:
        code: int = arguments.does(arguments) or 0
        sys.stdout.flush()
    except AbstractQAError as error:
        return _end(str(error))
    except KeyboardInterrupt:
        return _end("interrupted", 130)
    except BrokenPipeError:
        # The reader of stdout closed it; without this, the flush at exit would fail, too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _end(f"{where}{error.strerror or error}")
    return code


def _end(problem: str, code: int = 1) -> int:
    note(f"abstractqa: {_on_one_line(problem)}")
    return code


def _on_one_line(text: object) -> str:
    return " ".join(str(text).split())


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="abstractqa",
        description="Ask about paper abstracts; every sentence of an answer cites its evidence.",
    )
    parser.add_argument(
        "--version", action="version", version=f"abstractqa {version('abstractqa')}"
    )
    subparsers = add_commands(parser, "COMMAND", COMMANDS)
    about = "measure retrieval and answers"
    measuring = subparsers.add_parser("eval", help=about, description=f"{about.capitalize()}.")
    add_commands(measuring, "KIND", KINDS)
    return parser


COMMANDS: dict[str, Entry] = {"index": (indexing.index, (*indexing.ARGUMENTS, STORE))}


@command(
    COMMANDS,
    word("question", "in plain words; - reads standard input", metavar="QUESTION"),
    *(MODE, *FILTERS, JSON, STORE),
)
def ask(arguments: Namespace) -> None:
    """Answer a question from the abstracts."""
    text = sys.stdin.read() if arguments.question == "-" else arguments.question
    question, filters = as_text(text, "question"), _filters(arguments)
    answer = terminal.shown_while(
        _assistant(arguments).stream(question, (), filters, arguments.mode)
    )
    say_result(arguments, answer, terminal.answer_text(answer))


@command(COMMANDS, MODE, *FILTERS, STORE)
def chat(arguments: Namespace) -> None:
    """Ask one question after another in the terminal."""
    filters = _filters(arguments)
    terminal.Chat(_assistant(arguments), filters, arguments.mode).run()


@command(
    COMMANDS,
    word("query", metavar="QUERY"),
    number("--limit", "maximum number of papers", 10),
    *(*FILTERS, JSON, STORE),
)
def search(arguments: Namespace) -> None:
    """List the papers nearest to a query."""
    if arguments.limit < 1:
        raise InputError(f"--limit {arguments.limit} is too small; give at least 1")
    query, filters = as_text(arguments.query, "query"), _filters(arguments)
    hits = _assistant(arguments).search(query, limit=arguments.limit, filters=filters)
    say_result(arguments, hits, terminal.hits_text(hits))


@command(
    COMMANDS,
    word("question", metavar="QUESTION"),
    word("--columns", "what to compare, such as 'method, data, result'", metavar="NAMES"),
    many("--paper", "compare this paper, by title or id", metavar="TITLE"),
    number("--limit", "maximum number of papers", 8),
    file("--csv", "also write the table to FILE"),
    switch("--markdown", "print a Markdown table"),
    *(MODE, *FILTERS, JSON, STORE),
)
def table(arguments: Namespace) -> None:
    """Compare papers in a table of quotes."""
    from ui import tables

    question, filters = as_text(arguments.question, "question"), _filters(arguments)
    columns = None if arguments.columns is None else arguments.columns.split(",")
    given = (filters, arguments.limit, arguments.mode, arguments.paper)
    made = _assistant(arguments).table(question, columns, *given)
    if arguments.csv is not None:
        arguments.csv.write_text(tables.as_csv(made), encoding="utf-8", newline="")
    write = tables.as_markdown if arguments.markdown else tables.as_text
    say_result(arguments, made, write(made))
    if made.notice and not arguments.json:
        note(made.notice)


@command(
    COMMANDS,
    word("--title", "only papers with this in their title", metavar="TEXT"),
    file("--export", "write them to FILE, which ends in .bib, .ris, .csv or .jsonl"),
    *(*FILTERS, JSON, STORE),
)
def papers(arguments: Namespace) -> None:
    """List the papers of the index, or export them."""
    from rag.digests import allowed
    from ui.export import LISTS

    every = indexing.papers_of(settings_of(arguments).store)
    kept = allowed(every, _filters(arguments))
    chosen = [paper for paper, keep in zip(every, kept, strict=True) if keep]
    if arguments.export is not None:
        form = LISTS.get(arguments.export.suffix.casefold().removeprefix("."))
        if form is None or form.papers is None:
            endings = ", ".join(f".{ending}" for ending in LISTS)
            raise InputError(f"{arguments.export}: name a file that ends in one of {endings}")
        arguments.export.write_text(form.papers(chosen), encoding="utf-8", newline="")
        note(f"{len(chosen):,} papers written to {arguments.export}")
        return
    listed = (terminal.paper_text(f"{at}.", paper) for at, paper in enumerate(chosen, start=1))
    nothing = "No paper passes the filters." if every else "The index has no papers yet."
    say_result(arguments, chosen, "\n".join(listed) or nothing)


@command(
    COMMANDS,
    word("--host", "address to listen on (default: %(default)s)", default="127.0.0.1"),
    word("--port", "default: %(default)s", type=int, default=7860),
    many(
        "--allowed-host",
        "a host name by which browsers reach the page, such as papers.example",
        metavar="NAME",
        type=str.lower,
    ),
    many(
        "--trusted-proxy",
        "a trusted proxy or network of proxies, whose headers give the client's address, host and"
        " scheme",
        metavar="ADDRESS",
        type=network,
    ),
    switch("--mcp", "also serve ask, search, papers and table as MCP tools"),
    file("--auth", "require a login; FILE has a line name:hash for each person"),
    word(
        "--add-user",
        "add a person to the FILE of --auth, or change their password, then exit",
        metavar="NAME",
    ),
    switch("--sample", "index the bundled sample if there is no index"),
    file(
        "--watch", "index this folder, and each new file in it while the page is served", "FOLDER"
    ),
    STORE,
)
def ui(arguments: Namespace) -> None:
    """Serve the web page."""
    from index.manifest import current

    if arguments.add_user is not None:
        add_user(arguments.auth, arguments.add_user)
        return
    settings = settings_of(arguments)
    with terminal.shown_meanwhile("AbstractQA is starting"):
        from ui.web.own_host import Reach
        from ui.web.server import check_free, serve

    check_free(arguments.host, arguments.port)
    reach = Reach(arguments.host, tuple(arguments.allowed_host), tuple(arguments.trusted_proxy))
    people = accounts(arguments.auth, reach)
    if current(settings.store) is None and (arguments.sample or reach.only_here or people):
        indexing.begin(settings, with_sample=arguments.sample)
    if arguments.watch is not None:
        indexing.watch_beside(arguments.watch, settings)
    elif current(settings.store) is not None:
        indexing.resume_beside(settings)
    serve(settings, reach, arguments.port, accounts=people, mcp=arguments.mcp)


@command(COMMANDS, JSON, STORE)
def doctor(arguments: Namespace) -> None:
    """Check index, models and page; say what to do."""
    checks = examine(arguments)
    problems = [check for check in checks if not check.ok]
    lines = (f"{'ok' if c.ok else 'problem':<7}  {c.name}: {c.message}" for c in checks)
    say_result(arguments, {"ok": not problems, "checks": checks}, "\n".join(lines))
    if problems:
        more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
        raise AbstractQAError(f"{problems[0].name}: {problems[0].message}{more}")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check of `doctor`; the message of a failed one says what to do."""

    name: str
    ok: bool
    message: str


def examine(arguments: Namespace) -> list[Check]:
    """Load the settings; check what they name, except what depends on a failed check."""
    checks: list[Check] = []

    def check(name: str, look: Callable[[], _T], describe: Callable[[_T], str] = str) -> _T | None:
        """Add the result of `look`; return what it found, None if it failed."""
        try:
            found = look()
            checks.append(Check(name, True, describe(found)))
        except (AbstractQAError, OSError, ImportError) as error:
            checks.append(Check(name, False, _on_one_line(error)))
            return None
        return found

    encoder, described = None, "store {0.store}, encoder {0.encoder}".format
    settings = check("settings", lambda: settings_of(arguments), described)
    if settings is not None:
        described = "{0.name}, {0.dimension} dimensions, weights {0.weights_hash:.12}".format
        encoder = check("encoder", lambda: _working_encoder(settings), described)
        if encoder is not None:
            check("index", lambda: _check_index(settings, encoder))
        if settings.chroma_url:
            check("Chroma", lambda: _check_chroma(settings))
    check("page", lambda: import_module("ui.web.server"), lambda _: f"Gradio {version('gradio')}")
    if settings is not None:
        check("answers", lambda: _check_answers(settings, encoder))
    return checks


def _working_encoder(settings: "Settings") -> "SentenceEncoder":
    encoder = encoder_of(settings)
    encoder.encode_query("a check that it works")
    return encoder


def _check_index(settings: "Settings", encoder: "SentenceEncoder") -> str:
    from index.manifest import check_encoder
    from index.store import Index

    index = Index.open(settings.store)
    has = index.manifest
    check_encoder(has, encoder)
    counts = f"{has.papers:,} papers, {has.passages:,} sentences"
    found = f"{counts}, all files unchanged ({has.generation})"
    left = f"{index.coverage:.0%} encoded, the rest is found by lexical search"
    return found if index.is_finished else f"{found}; {left}: run abstractqa index --resume"


def _check_chroma(settings: "Settings") -> str:
    from index.store import Index

    chroma = settings.chroma()
    if chroma is None:
        return "none"
    found = f"{chroma.count():,} records at {chroma.url}"
    if chroma.holds(Index.open(settings.store), settings.store):
        return f"{found}, those of the index"
    later = "the next abstractqa index uploads them; until then every vector is compared"
    return f"{found}, not those of the index: {later}"


def _check_answers(settings: "Settings", encoder: "SentenceEncoder | None") -> str:
    """Say what writes and checks answers; a chat model, if there is one, must reply once."""
    if settings.chat_model is None:
        return "extractive: no chat model is configured (ABSTRACTQA_CHAT_MODEL)"
    from index.embedding import SentenceEncoder
    from index.minilm import NAME
    from rag.synthesis.writer import Writers

    writers = Writers(settings, encoder or SentenceEncoder.open(NAME))
    try:
        model = writers.model()
        reply = model.complete([{"role": "user", "content": "Say ok."}], max_tokens=16)
    finally:
        writers.close()
    return (
        f"written by {model.name}, which answered in {reply.seconds:.1f} s; citations are checked"
        f" by {settings.support_checker!r}"
    )


@command(
    COMMANDS,
    word("shell", 'for example: eval "$(abstractqa completion bash)"', choices=("bash", "zsh")),
)
def completion(arguments: Namespace) -> None:
    """Print a script with which a shell completes this command."""
    start = "autoload -Uz compinit && compinit\n" if arguments.shell == "zsh" else ""
    say(start + shtab.complete(build_parser(), shell=arguments.shell))


def _assistant(arguments: Namespace) -> "Assistant":
    settings = settings_of(arguments)
    from rag import Assistant  # takes seconds: report a wrong setting first

    return Assistant.open(store=settings.store, settings=settings)


def _filters(arguments: Namespace) -> "Filters":
    given = vars(arguments) | {"digests": arguments.digest, "papers": ()}
    return terminal.parse_filters(given, "--since", "--until")


def accounts(path: Path | None, reach: "Reach") -> "Accounts | None":
    """Return the accounts of the `--auth` file, if any; warn about an open page or file."""
    if path is None:
        if not reach.only_here:
            note(
                f"Anyone who can reach {reach.host} can use this page without a login; papers"
                " cannot be added or removed on it. To require a login, use --auth FILE."
            )
        return None
    from ui.web.accounts import Accounts

    people = Accounts(path)
    if people.is_open:
        note(f"Others on this machine can read {path}: run chmod 600 {path}")
    return people


def add_user(path: Path | None, name: str) -> None:
    """Add a person to the `--auth` file, or change a password, from a prompt or a pipe."""
    from ui.web.accounts import add, check_name

    if path is None:
        raise InputError("--add-user needs a file to add to: name it with --auth FILE")
    check_name(name)
    if sys.stdin.isatty():
        try:
            password, again = getpass("Password: "), getpass("Repeat the password: ")
        except EOFError as error:
            raise InputError("no password was given") from error
        if password != again:
            raise InputError("the two passwords differ; nothing was changed")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    known = add(path, name, password)
    say(f"{name} has a new password in {path}." if known else f"{name} is now in {path}.")


if __name__ == "__main__":
    sys.exit(main())
