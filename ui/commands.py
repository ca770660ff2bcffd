"""What each command does. Heavy imports stand inside: no command waits for another's."""

import json
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import AbstractQAError, InputError
from ui.dates import parse_day
from ui.terminal import Progress as IndexingProgress
from ui.terminal import Status, answer_text, hits_text, note, say

if TYPE_CHECKING:
    from index.build import BuildReport
    from rag import Assistant
    from rag.schema import Filters
    from rag.settings import Settings

MOST_PROBLEMS = 20
"""Unreadable entries that `index` names one by one."""


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


def _text(text: str, name: str) -> str:
    """`text` if it can be printed and stored; shells may pass bytes that are no characters."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"the {name} is not valid UTF-8 text") from error
    return text


def _build(paths: list[Path], settings: "Settings", format: str, year: int | None) -> "BuildReport":  # noqa: A002
    from index.build import build
    from index.encoder import LocalEncoder

    encoder = LocalEncoder.open(settings.encoder)
    with IndexingProgress() as progress:
        return build(paths, settings.store, encoder, format=format, year=year, progress=progress)


def index(arguments: Namespace) -> int:
    """Read files into the index, or take the last change back.

    What can be read is indexed; a damaged file ends the command with 1 all the same.
    """
    settings = _settings(arguments)
    if arguments.undo:
        if arguments.paths:
            raise InputError("--undo takes no PATH")
        return _undo(settings, as_json=arguments.json)
    if not arguments.paths or not all(arguments.paths):
        raise InputError("no PATH given; name a file or folder of abstracts to index")
    paths = [Path(path) for path in arguments.paths]
    report = _build(paths, settings, arguments.format, arguments.year)
    problems = sorted(report.problems, key=lambda problem: not problem.is_damage)
    for problem in problems[:MOST_PROBLEMS]:
        note(str(problem))
    if len(problems) > MOST_PROBLEMS:
        note(f"… and {len(problems) - MOST_PROBLEMS:,} more")
    if arguments.json:
        say(json.dumps(asdict(report), ensure_ascii=False, default=str))
    else:
        say(_summary(report, settings.store))
    return 1 if report.is_damaged else 0


def _undo(settings: "Settings", *, as_json: bool) -> int:
    from index.publish import undo

    generation = undo(settings.store)
    say(
        json.dumps({"generation": generation})
        if as_json
        else f"The index at {settings.store} is again that of {generation}."
    )
    return 0


def _summary(report: "BuildReport", store: Path) -> str:
    names = ["new", "unchanged", "updated", "duplicate", "rejected"]
    if report.removed:
        names.append("removed")
    counts = ", ".join(f"{getattr(report, name):,} {name}" for name in names)
    return (
        f"{counts}\n{report.papers:,} papers and {report.passages:,} sentences in {store} "
        f"({report.embedded:,} texts embedded, {report.seconds:.1f} s)"
    )


def _filters(arguments: Namespace) -> "Filters":
    from rag.schema import Filters

    since = parse_day(arguments.since, "--since") if arguments.since is not None else None
    until = parse_day(arguments.until, "--until") if arguments.until is not None else None
    if since and until and since > until:
        raise InputError(f"--since {since} is after --until {until}; no day is in between")
    return Filters(digests=tuple(arguments.digest), since=since, until=until)


def ask(arguments: Namespace) -> int:
    """Answer one question."""
    from rag.schema import Finished, Progress

    question, filters = _text(arguments.question, "question"), _filters(arguments)
    status = Status()
    for event in _assistant(arguments).stream(question, filters=filters, mode=arguments.mode):
        if isinstance(event, Progress):
            status(event.text)
        elif isinstance(event, Finished):
            answer = event.answer
    status("")
    say(answer.model_dump_json() if arguments.json else answer_text(answer))
    return 0


def search(arguments: Namespace) -> int:
    """List the papers nearest to a query."""
    if arguments.limit < 1:
        raise InputError(f"--limit {arguments.limit} is too small; give at least 1")
    query = _text(arguments.query, "query")
    hits = _assistant(arguments).search(query, limit=arguments.limit)
    if arguments.json:
        found = [hit.model_dump(mode="json") for hit in hits]
        say(json.dumps(found, ensure_ascii=False))
    else:
        say(hits_text(hits))
    return 0


def table(arguments: Namespace) -> int:
    """Compare papers in a table."""
    from ui import tables

    question, filters = _text(arguments.question, "question"), _filters(arguments)
    return tables.table(arguments, question, filters, _assistant(arguments))


def ui(arguments: Namespace) -> int:
    """Serve the web page until interrupted."""
    from index.store import current

    settings = _settings(arguments)
    if arguments.sample and current(settings.store) is None:
        note(f"There is no index at {settings.store} yet; indexing the bundled sample.")
        from index import sample

        folder = Path(sample.__file__).parent
        _build(sorted(folder.glob("*.txt")), settings, "digest", None)
    from ui.web.server import serve

    serve(settings, arguments.host, arguments.port)
    return 0


def evaluate(arguments: Namespace) -> int:
    """Measure, or read what was measured."""
    from ui.evaluation import improving, measuring, reading

    kinds: dict[str, Callable[[Namespace], int]] = {
        "retrieval": measuring.retrieval,
        "answers": measuring.answers,
        "checker": measuring.checker,
        "compare": reading.compare,
        "show": reading.show,
        "leaderboard": reading.leaderboard,
        "judge": reading.judge,
        "export": reading.export,
        "ablate": improving.ablate,
        "calibrate": improving.calibrate,
        "calibrate-support": improving.calibrate_support,
        "gate": improving.gate,
        "synthesize": improving.synthesize,
    }
    return kinds[arguments.kind](arguments)


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


COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "index": index,
    "ask": ask,
    "search": search,
    "table": table,
    "ui": ui,
    "eval": evaluate,
    "doctor": doctor,
}
