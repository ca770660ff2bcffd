"""What each command does. Heavy imports stand inside: no command waits for another's."""

import json
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import AbstractQAError, InputError
from ui import indexing
from ui.terminal import (
    answer_text,
    as_text,
    hits_text,
    note,
    parse_day,
    say,
    shown_meanwhile,
    shown_while,
)

if TYPE_CHECKING:
    from rag import Assistant
    from rag.schema import Filters
    from rag.settings import Settings
    from ui.web.accounts import Accounts
    from ui.web.own_host import Reach


def _settings(arguments: Namespace) -> "Settings":
    """The settings, with the store of the command line if one was given."""
    from rag.settings import load_settings

    settings = load_settings()
    if arguments.store is None:
        return settings
    return settings.model_copy(update={"store": arguments.store})


def _assistant(arguments: Namespace) -> "Assistant":
    settings = _settings(arguments)
    from rag import Assistant  # takes seconds, so a wrong setting is told first

    return Assistant.open(store=settings.store, settings=settings)


def index(arguments: Namespace) -> int:
    """Read files into the index, or preview, remove, undo."""
    return indexing.index(arguments, _settings(arguments))


def _filters(arguments: Namespace) -> "Filters":
    from rag.schema import Filters

    since = parse_day(arguments.since, "--since") if arguments.since is not None else None
    until = parse_day(arguments.until, "--until") if arguments.until is not None else None
    if since and until and since > until:
        raise InputError(f"--since {since} is after --until {until}; no day is in between")
    title = getattr(arguments, "title", None)
    return Filters(digests=tuple(arguments.digest), since=since, until=until, title=title)


def _question(arguments: Namespace) -> str:
    """The question of the command line, or of standard input where it is "-"."""
    text = sys.stdin.read() if arguments.question == "-" else arguments.question
    return as_text(text, "question")


def ask(arguments: Namespace) -> int:
    """Answer one question."""
    question, filters = _question(arguments), _filters(arguments)
    events = _assistant(arguments).stream(question, filters=filters, mode=arguments.mode)
    answer = shown_while(events)
    say(answer.model_dump_json() if arguments.json else answer_text(answer))
    return 0


def chat(arguments: Namespace) -> int:
    """Answer questions that follow one another, until the input ends."""
    from ui.terminal_chat import TerminalChat

    filters = _filters(arguments)
    TerminalChat(_assistant(arguments), filters, arguments.mode).run()
    return 0


def search(arguments: Namespace) -> int:
    """List the papers nearest to a query."""
    if arguments.limit < 1:
        raise InputError(f"--limit {arguments.limit} is too small; give at least 1")
    query, filters = as_text(arguments.query, "query"), _filters(arguments)
    hits = _assistant(arguments).search(query, limit=arguments.limit, filters=filters)
    if arguments.json:
        found = [hit.model_dump(mode="json") for hit in hits]
        say(json.dumps(found, ensure_ascii=False))
    else:
        say(hits_text(hits))
    return 0


def papers(arguments: Namespace) -> int:
    """List the papers of the index, or write them to a file."""
    from index.manifest import check_is_store, live_papers, no_index
    from rag.digests import allowed
    from ui.export.files import LISTS
    from ui.terminal import paper_text

    store = _settings(arguments).store
    check_is_store(store)
    live, every = live_papers(store)
    if live is None:
        raise no_index(store)
    kept = allowed(every, _filters(arguments))
    chosen = [paper for paper, keep in zip(every, kept, strict=True) if keep]
    if arguments.export is not None:
        write = LISTS.get(arguments.export.suffix.casefold().removeprefix("."))
        if write is None:
            endings = ", ".join(f".{ending}" for ending in LISTS)
            raise InputError(f"{arguments.export}: name a file that ends in one of {endings}")
        arguments.export.write_text(write(chosen), encoding="utf-8", newline="")
        note(f"{len(chosen):,} papers written to {arguments.export}")
    elif arguments.json:
        say(json.dumps([paper.model_dump(mode="json") for paper in chosen], ensure_ascii=False))
    else:
        listed = (paper_text(f"{at}.", paper) for at, paper in enumerate(chosen, start=1))
        say("\n".join(listed) or "No paper passes.")
    return 0


def table(arguments: Namespace) -> int:
    """Compare papers in a table."""
    from ui import tables

    question, filters = as_text(arguments.question, "question"), _filters(arguments)
    return tables.table(arguments, question, filters, _assistant(arguments))


def ui(arguments: Namespace) -> int:
    """Serve the web page until interrupted; or add a person who may log in."""
    from index.manifest import current

    if arguments.add_user is not None:
        return add_user(arguments.auth, arguments.add_user)
    settings = _settings(arguments)
    with shown_meanwhile("AbstractQA is starting"):
        from ui.web.own_host import Reach
        from ui.web.server import check_free, serve

    check_free(arguments.host, arguments.port)
    names, proxies = tuple(arguments.allowed_host), tuple(arguments.trusted_proxy)
    reach = Reach(arguments.host, names, proxies)
    if arguments.model_settings and arguments.auth is None and not reach.only_here:
        raise InputError("--model-settings needs a login on a page for others: give --auth FILE")
    people = accounts(arguments.auth, reach)
    if current(settings.store) is None and (arguments.sample or reach.only_here or people):
        indexing.begin(settings, with_sample=arguments.sample)
    if arguments.watch is not None:
        indexing.watch_beside(arguments.watch, settings)
    elif current(settings.store) is not None:
        indexing.resume_beside(settings)
    serve(
        settings,
        reach,
        arguments.port,
        accounts=people,
        mcp=arguments.mcp,
        model_settings=arguments.model_settings,
    )
    return 0


def evaluate(arguments: Namespace) -> int:
    """Measure, or read what was measured."""
    from ui.evaluation.verbs import VERBS

    return VERBS[arguments.kind](arguments)


def doctor(arguments: Namespace) -> int:
    """Check everything a question needs, and say what to do about what is wrong."""
    from ui.doctor import examine

    checks = examine(lambda: _settings(arguments))
    problems = [check for check in checks if not check.ok]
    if arguments.json:
        say(json.dumps({"ok": not problems, "checks": [asdict(check) for check in checks]}))
    else:
        for check in checks:
            say(f"{'ok     ' if check.ok else 'problem'}  {check.name}: {check.message}")
    if problems:
        more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
        raise AbstractQAError(f"{problems[0].name}: {problems[0].message}{more}")
    return 0


def accounts(path: Path | None, reach: "Reach") -> "Accounts | None":
    """The people of the file of `--auth`, if there is one.

    A line on stderr warns of a page that everybody can use, and of a file that everybody can read.

    Raises:
        InputError: the file cannot be used.
    """
    if path is None:
        if not reach.only_here:
            note(
                f"Anyone who can reach {reach.host} can use this page, there is no login: papers"
                " cannot be added or removed there. Give a file of people with --auth."
            )
        return None
    from ui.web.accounts import Accounts

    people = Accounts(path)
    if people.is_open:
        note(f"Others on this machine can read {path}: run chmod 600 {path}")
    return people


def add_user(path: Path | None, name: str) -> int:
    """Add a person to the file of `--auth`; the password is asked for, or read from a pipe.

    Raises:
        InputError: no file is named, or the name or the password cannot be used.
    """
    from ui.web.accounts import add, check_name

    if path is None:
        raise InputError("--add-user needs the file to add to: give it with --auth FILE")
    check_name(name)
    known = add(path, name, _password())
    say(f"{name} has a new password in {path}." if known else f"{name} is now in {path}.")
    return 0


def _password() -> str:
    """The password, asked for twice where a person types it; one line of a pipe."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        first, second = getpass("Password: "), getpass("Once more: ")
    except EOFError as error:
        raise InputError("no password was given") from error
    if first != second:
        raise InputError("the two passwords are not the same; nothing was changed")
    return first


COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "index": index,
    "ask": ask,
    "chat": chat,
    "search": search,
    "table": table,
    "papers": papers,
    "ui": ui,
    "eval": evaluate,
    "doctor": doctor,
}
