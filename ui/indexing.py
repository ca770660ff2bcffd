"""The `index` command: read files into the index, preview, watch, resume, remove and undo."""

import functools
import sys
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import AbstractQAError, InputError
from ui.arguments import JSON, file, many, settings_of, switch, word
from ui.terminal import note, say_result, shown_progress, wrap

if TYPE_CHECKING:
    from index.build import BuildReport, Progress
    from index.encoder import Encoder
    from index.papers import Paper
    from index.plan import Preview
    from index.readers import Options, Upload
    from rag.settings import Settings

ARGUMENTS = (
    file("paths", "a file, an archive, a folder, or - for stdin", "PATH", nargs="*"),
    word("--format", "the files' format (default: detected from their content)", default="auto"),
    word(
        "--columns",
        "columns of a table whose headings are not recognised, such as title=Name,abstract=Text",
        metavar="FIELD=HEADING,…",
        default="",
    ),
    switch("--no-merge", "do not merge entries of one paper"),
    file("--watch", "index this folder, then each new file in it", "FOLDER"),
    word(
        "--year",
        "year for digest dates without one (default: from the file's other dates, or else the year"
        " in which it was last modified)",
        metavar="YYYY",
        type=int,
    ),
    switch("--preview", "show what would be indexed, and write nothing"),
    many("--remove", "remove this paper from the index", metavar="TITLE_OR_ID"),
    word(
        "--engine",
        "where texts are encoded: on this machine, or by the workers of a Ray cluster",
        choices=("local", "ray"),
        default="local",
    ),
    word(
        "--address",
        "the Ray cluster, ray://host:10001 or auto (default: start one on this machine)",
        metavar="ADDRESS",
    ),
    switch("--resume", "encode what an interrupted run left out"),
    switch("--undo", "go back to the index before the last change"),
    JSON,
)


def index(arguments: Namespace) -> int | None:
    """Read files of abstracts into the index.

    An option of `_ACTIONS` runs its action instead. If a file is damaged, the exit code is 1.
    """
    settings = settings_of(arguments)
    chosen = [name for name in _ACTIONS if getattr(arguments, name)]
    if len(chosen) > 1:
        raise InputError(f"use only one of {', '.join(f'--{name}' for name in _ACTIONS)}")
    if not chosen:
        return _add(arguments, settings)
    if arguments.paths and chosen != ["preview"]:
        raise InputError(f"--{chosen[0]} takes no PATH")
    return _ACTIONS[chosen[0]](arguments, settings)


def _inputs(arguments: Namespace) -> "list[Path | Upload]":
    from index.readers import Upload

    if not arguments.paths:
        raise InputError("no PATH given; name a file or folder of abstracts to index")
    return [
        Upload("stdin", sys.stdin.buffer.read()) if path == Path("-") else path
        for path in arguments.paths
    ]


def _options(arguments: Namespace) -> "Options":
    return {
        "format": arguments.format,
        "year": arguments.year,
        "columns": _columns(arguments.columns),
        "merge": not arguments.no_merge,
    }


def _columns(text: str) -> dict[str, str]:
    """Parse `title=Name,abstract=Text` of `--columns` into a heading for each field."""
    from index.readers.records import FIELDS

    found: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        field, _, heading = map(str.strip, part.partition("="))
        if field not in FIELDS or not heading:
            wanted = f"write FIELD=HEADING, where FIELD is one of {', '.join(FIELDS)}"
            raise InputError(f"--columns {part!r}: {wanted}")
        found[field] = heading
    return found


def _add(arguments: Namespace, settings: "Settings") -> int:
    from index.build import build

    paths = _inputs(arguments)
    with _encoding(settings, arguments) as (store, encoder, progress):
        report = build(paths, store, encoder, progress=progress, **_options(arguments))
    _note_findings(report)
    say_result(arguments, report, _summary(report, settings.store))
    return int(report.is_damaged)


def _preview(arguments: Namespace, settings: "Settings") -> int:
    from index.plan import preview

    found = preview(_inputs(arguments), settings.store, **_options(arguments))
    _note_findings(found)
    shown = ("new", "updated")  # the others change nothing
    changes = [(str(entry.state), entry.paper) for entry in found.entries if entry.state in shown]
    changes += [("removed", paper) for paper in found.removed]
    width = max((len(state) for state, _ in changes), default=0) + 2
    lines = [
        wrap(f"{state:\u00a0<{width}}{paper.display_title}", "", " " * width)
        for state, paper in changes
    ]
    lines.append(_counts(found, len(found.removed)))
    lines.append(f"{settings.store} would contain {found.papers:,} papers; nothing was written")
    say_result(arguments, found, "\n".join(lines))
    return int(found.is_damaged)


def _remove(arguments: Namespace, settings: "Settings") -> None:
    from index.build import remove
    from index.papers import find_ids

    store = settings.store
    ids = find_ids(arguments.remove, papers_of(store))
    with shown_progress() as progress:
        report = remove(ids, store, progress=progress)
    bring_to_chroma(settings)
    lines = [wrap(f"removed {paper.display_title}", "", " " * 8) for paper in report.removed]
    lines.append(f"{report.papers:,} papers and {report.passages:,} sentences in {store}")
    say_result(arguments, report, "\n".join(lines))


def _undo(arguments: Namespace, settings: "Settings") -> None:
    from index.publish import undo

    generation = undo(settings.store)
    bring_to_chroma(settings)
    text = f"The index at {settings.store} is back at generation {generation}."
    say_result(arguments, {"generation": generation}, text)


def _resume(arguments: Namespace, settings: "Settings") -> None:
    report = _encode_rest(settings, arguments)
    say_result(arguments, report, _summary(report, settings.store))


_ACTIONS: Mapping[str, Callable[[Namespace, "Settings"], int | None]] = {
    "undo": _undo,
    "preview": _preview,
    "remove": _remove,
    "watch": lambda arguments, settings: watch(arguments.watch, settings, arguments),
    "resume": _resume,
}
DEFAULTS = Namespace(
    engine="local", address=None, format="auto", columns="", year=None, no_merge=False
)
"""The options of a run that the command line does not start."""


def _check_engine(arguments: Namespace, settings: "Settings") -> None:
    settings.chroma()  # refuses an invalid address
    if arguments.address and arguments.engine != "ray":
        raise InputError("--address needs --engine ray")


@contextmanager
def _encoding(
    settings: "Settings", arguments: Namespace = DEFAULTS
) -> "Iterator[tuple[Path, Encoder, Progress]]":
    """Yield (store, encoder, a function to show progress); then write changes to Chroma."""
    from index.encoder import open_encoder

    _check_engine(arguments, settings)
    make = functools.partial(open_encoder, settings.encoder, settings.secret_of_encoder)
    with ExitStack() as stack:
        if arguments.engine == "ray":
            from index.remote import RayEncoder

            encoder: Encoder = stack.enter_context(closing(RayEncoder(make, arguments.address)))
        else:
            encoder = make()
        yield settings.store, encoder, stack.enter_context(shown_progress())
    bring_to_chroma(settings)


def papers_of(store: Path) -> "Sequence[Paper]":
    """Return the papers of the live index; raise a `StoreError` if there is none."""
    from index.manifest import check_is_store, live_papers, no_index

    check_is_store(store)
    live, papers = live_papers(store)
    if live is None:
        raise no_index(store)
    return papers


def begin(settings: "Settings", *, with_sample: bool) -> None:
    """Make the first index of a store, from the bundled sample or without papers."""
    from index.build import build, build_papers
    from index.manifest import check_is_store
    from index.sample import sample_files

    check_is_store(settings.store)
    what = "indexing the bundled sample." if with_sample else "papers can be added on the page."
    note(f"There is no index at {settings.store} yet; {what}")
    with _encoding(settings) as (store, encoder, progress):
        if with_sample:
            build(sample_files(), store, encoder, format="digest", progress=progress)
        else:
            build_papers((), store, encoder)


def bring_to_chroma(settings: "Settings") -> None:
    """Write what changed to the Chroma server, if the settings name one and it answers."""
    if not settings.chroma_url:
        return
    from index.chroma import recall
    from index.store import Index

    try:
        chroma, index = settings.chroma(), Index.open(settings.store)
        if chroma and index.is_covered:
            with shown_progress() as progress:
                count = functools.partial(progress, "chroma")
                changed = chroma.bring(index, settings.store, count)
            found = recall(index, chroma)
            note(f"{changed:,} records changed on {settings.chroma_url}; recall@10 {found:.3f}")
    except AbstractQAError as error:
        note(f"{error}; the next run uploads the changes; until then every vector is compared")


def _encode_rest(settings: "Settings", arguments: Namespace) -> "BuildReport":
    from index.build import resume

    with _encoding(settings, arguments) as (store, encoder, progress):
        return resume(store, encoder, progress=progress)


def resume_beside(settings: "Settings", arguments: Namespace = DEFAULTS) -> None:
    """Finish an unfinished index in a daemon thread, unless another process is writing to it."""
    from index.store import Index

    def work() -> None:
        try:
            _encode_rest(settings, arguments)
        except AbstractQAError as error:
            note(str(error))

    if not Index.open(settings.store).is_finished:
        note("some abstracts are not encoded yet; you can ask questions meanwhile")
        threading.Thread(target=work, daemon=True).start()


def _note_findings(read: "BuildReport | Preview") -> None:
    """Print the formats of the files, their problems, worst first, and the merges on stderr."""
    worst_first = sorted(read.problems, key=lambda each: (each.is_warning, not each.is_damage))
    formats = [f"{name}: read as {format_}" for name, format_ in read.formats]
    for found in (formats, worst_first, read.merges):
        for each in found[:20]:
            note(str(each))
        if found[20:]:
            note(f"… and {len(found) - 20:,} more")


def _summary(report: "BuildReport", store: Path) -> str:
    return (
        f"{_counts(report, report.removed)}\n"
        f"{report.papers:,} papers and {report.passages:,} sentences in {store} "
        f"({report.embedded:,} texts encoded, {report.seconds:.1f} s)"
    )


def _counts(counts: "BuildReport | Preview", removed: int) -> str:
    names = ("new", "unchanged", "updated", "duplicate", "rejected")
    parts = [f"{getattr(counts, name):,} {name}" for name in names]
    return ", ".join([*parts, f"{removed:,} removed"] if removed else parts)


QUIET_MS = 2_000  # without a change before files are read, so that none is half-written


def watch(
    folder: Path,
    settings: "Settings",
    arguments: Namespace = DEFAULTS,
    stop: threading.Event | None = None,
) -> None:
    """Index a folder, then each file that comes into it, until interrupted or `stop` is set.

    A file that cannot be read is told, and read again when it changes. Raise an `InputError` if
    there is no such folder, or if an option cannot be used.
    """
    from watchfiles import watch as changes

    from index.manifest import current
    from index.readers import check_options

    _check_folder(folder)
    check_options(_options(arguments))
    _check_engine(arguments, settings)
    note(f"watching {folder}; new files are indexed as they arrive (Ctrl+C stops it)")
    if any(path.is_file() and path.name[0] != "." for path in folder.rglob("*")):
        _index_folder(folder, settings, arguments)
    elif current(settings.store) is not None:
        resume_beside(settings, arguments)
    # Index after ten minutes even if writing goes on.
    sets = changes(folder, step=QUIET_MS, debounce=600_000, stop_event=stop, raise_interrupt=False)
    for _ in sets:
        _index_folder(folder, settings, arguments)


def watch_beside(folder: Path, settings: "Settings") -> None:
    """Run `watch` in a daemon thread; raise an `InputError` if there is no such folder."""
    _check_folder(folder)
    threading.Thread(target=watch, args=(folder, settings), daemon=True).start()


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: name one to watch")


def _index_folder(folder: Path, settings: "Settings", arguments: Namespace) -> None:
    from index.build import build

    try:
        with _encoding(settings, arguments) as (store, encoder, progress):
            report = build([folder], store, encoder, progress=progress, **_options(arguments))
    except AbstractQAError as error:
        note(str(error))
        return
    for problem in report.problems[:5]:
        note(str(problem))
    if report.generation != report.previous:
        note(_summary(report, settings.store))
