"""The `index` command: reading files into the index, looking first, removing, taking back."""

import functools
import sys
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import AbstractQAError, InputError
from ui.arguments import JSON, file, many, settings_of, switch, word
from ui.terminal import note, say_result, shown_progress, wrap

if TYPE_CHECKING:
    from index.build import BuildReport, Progress
    from index.encoder import Encoder
    from index.papers import Paper
    from index.plan import Preview
    from index.readers import Upload
    from rag.settings import Settings

ARGUMENTS = (
    file("paths", "a file, an archive, a folder, or - for stdin", "PATH", nargs="*"),
    word("--format", "the files' format (default: told by their content)", default="auto"),
    word(
        "--columns",
        "columns of a table whose headings do not tell, as title=Name,abstract=Text",
        metavar="FIELD=HEADING,…",
        default="",
    ),
    switch("--no-merge", "keep entries apart that are one paper"),
    file("--watch", "index this folder, and go on with each file that comes into it", "FOLDER"),
    word(
        "--year",
        "year of digest dates without one (default: as other dates of the file say, or else the"
        " year in which it was last modified)",
        metavar="YYYY",
        type=int,
    ),
    switch("--preview", "tell what would be indexed, and write nothing"),
    many("--remove", "take this paper out of the index", metavar="TITLE_OR_ID"),
    word(
        "--engine",
        "where texts are encoded: here, or by the workers of a Ray cluster",
        choices=("local", "ray"),
        default="local",
    ),
    word(
        "--address",
        "the Ray cluster, as ray://host:10001 or auto (default: one on this machine)",
        metavar="ADDRESS",
    ),
    switch("--resume", "encode what a run that was stopped left out"),
    switch("--undo", "go back to the index before the last change"),
    JSON,
)


def index(arguments: Namespace) -> int | None:
    """Read files of abstracts into the index.

    Or do what the options say instead. What can be read is indexed; a damaged file ends the
    command with 1 all the same.
    """
    settings = settings_of(arguments)
    chosen = [name for name in _INSTEAD if getattr(arguments, name)]
    if len(chosen) > 1:
        raise InputError(f"give one of {', '.join(f'--{name}' for name in _INSTEAD)}")
    if not chosen:
        return _add(arguments, settings)
    if arguments.paths and chosen != ["preview"]:
        raise InputError(f"--{chosen[0]} takes no PATH")
    return _INSTEAD[chosen[0]](arguments, settings)


def _read(arguments: Namespace) -> "tuple[list[Path | Upload], dict[str, Any]]":
    """What is to be read, and how, as `index.build.build` takes it."""
    from index.readers import Upload

    if not arguments.paths:
        raise InputError("no PATH given; name a file or folder of abstracts to index")
    paths = [
        Upload("stdin", sys.stdin.buffer.read()) if path == Path("-") else path
        for path in arguments.paths
    ]
    how = {"format": arguments.format, "year": arguments.year}
    return paths, {**how, "columns": _columns(arguments.columns), "merge": not arguments.no_merge}


def _columns(text: str) -> dict[str, str]:
    """The columns of `--columns title=Name,abstract=Text`, by field."""
    from index.readers.records import FIELDS

    found: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        field, _, heading = part.partition("=")
        if field.strip() not in FIELDS or not heading.strip():
            known = ", ".join(FIELDS)
            raise InputError(f"--columns {part!r}: write FIELD=HEADING, with a field of {known}")
        found[field.strip()] = heading.strip()
    return found


def _add(arguments: Namespace, settings: "Settings") -> int:
    from index.build import build

    paths, how = _read(arguments)
    with _encoding(settings, arguments) as (store, encoder, progress):
        report = build(paths, store, encoder, progress=progress, **how)
    _tell(report)
    say_result(arguments, report, summary(report, settings.store))
    return int(report.is_damaged)


def _preview(arguments: Namespace, settings: "Settings") -> int:
    from index.plan import preview

    paths, how = _read(arguments)
    found = preview(paths, settings.store, **how)
    _tell(found)
    say_result(arguments, found, _preview_text(found, settings.store))
    return int(found.is_damaged)


def _preview_text(found: "Preview", store: Path) -> str:
    told = ("new", "updated")  # the others change nothing
    changes = [(str(entry.state), entry.paper) for entry in found.entries if entry.state in told]
    changes += [("removed", paper) for paper in found.removed]
    width = max((len(state) for state, _ in changes), default=0) + 2
    lines = (
        wrap(f"{state:\u00a0<{width}}{paper.display_title}", "", " " * width)
        for state, paper in changes
    )
    end = f"{store} would hold {found.papers:,} papers; nothing was written"
    return "\n".join([*lines, _counts(found, len(found.removed)), end])


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
    text = f"The index at {settings.store} is again that of {generation}."
    say_result(arguments, {"generation": generation}, text)


def _resume(arguments: Namespace, settings: "Settings") -> None:
    report = resume_index(settings, arguments)
    say_result(arguments, report, summary(report, settings.store))


_INSTEAD: Mapping[str, Callable[[Namespace, "Settings"], int | None]] = {
    "undo": _undo,
    "preview": _preview,
    "remove": _remove,
    "watch": lambda arguments, settings: watch(arguments.watch, settings),
    "resume": _resume,
}
"""What options do in place of reading files into the index."""
HERE = Namespace(engine="local", address=None)


@contextmanager
def _encoding(
    settings: "Settings", engine: Namespace = HERE
) -> "Iterator[tuple[Path, Encoder, Progress]]":
    """The store, the encoder of the settings, here or on a Ray cluster, and a bar of progress.

    What was built is brought to Chroma at the end.
    """
    from index.encoder import open_encoder

    settings.chroma()  # an address that is none is refused before anything is done
    make = functools.partial(open_encoder, settings.encoder, settings.secret_of_encoder)
    with ExitStack() as stack:
        if engine.engine == "ray":
            from index.remote import RayEncoder

            encoder: Encoder = stack.enter_context(closing(RayEncoder(make, engine.address)))
        elif engine.address:
            raise InputError("--address needs --engine ray")
        else:
            encoder = make()
        yield settings.store, encoder, stack.enter_context(shown_progress())
    bring_to_chroma(settings)


def papers_of(store: Path) -> "Sequence[Paper]":
    """The papers of the live index; without one a `StoreError`."""
    from index.manifest import check_is_store, live_papers, no_index

    check_is_store(store)
    live, papers = live_papers(store)
    if live is None:
        raise no_index(store)
    return papers


def begin(settings: "Settings", *, with_sample: bool) -> None:
    """Make the first index of a store: the bundled sample, or one without papers."""
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
    """Write what changed to the Chroma server, if the settings name one.

    A server that does not answer costs speed, not the index: it is told, and brought up to date by
    the next run.
    """
    if not settings.chroma_url:
        return
    from index.chroma import recall
    from index.store import Index

    try:
        chroma = settings.chroma()
        index = Index.open(settings.store)
        if chroma and index.is_covered:
            with shown_progress() as progress:
                count = functools.partial(progress, "chroma")
                changed = chroma.bring(index, settings.store, count)
            found = recall(index, chroma)
            note(f"{changed:,} records changed on {settings.chroma_url}; recall@10 {found:.3f}")
    except AbstractQAError as error:
        note(f"{error}; the next run writes what changed, and questions compare everything")


def resume_index(settings: "Settings", engine: Namespace = HERE) -> "BuildReport":
    """Encode what the index lacks, and show how far it is."""
    from index.build import resume

    with _encoding(settings, engine) as (store, encoder, progress):
        return resume(store, encoder, progress=progress)


def resume_beside(settings: "Settings") -> None:
    """Encode what the index lacks, if anything, in a thread that ends with the process.

    A store that another process is writing is left to it.
    """
    from index.store import Index

    def work() -> None:
        try:
            resume_index(settings)
        except AbstractQAError as error:
            note(str(error))

    if not Index.open(settings.store).is_finished:
        note("not all abstracts are encoded yet; questions are answered meanwhile")
        threading.Thread(target=work, daemon=True).start()


def _tell(read: "BuildReport | Preview") -> None:
    """Say on stderr what files were taken for, what is wrong in them, and what is one paper."""
    worst_first = sorted(read.problems, key=lambda each: (each.is_warning, not each.is_damage))
    for lines in (
        [f"{name}: read as {format_}" for name, format_ in read.formats],
        list(map(str, worst_first)),
        list(map(str, read.merges)),
    ):
        for line in lines[:20]:
            note(line)
        if lines[20:]:
            note(f"… and {len(lines) - 20:,} more")


def summary(report: "BuildReport", store: Path) -> str:
    """What a run did, in two lines."""
    return (
        f"{_counts(report, report.removed)}\n"
        f"{report.papers:,} papers and {report.passages:,} sentences in {store} "
        f"({report.embedded:,} texts embedded, {report.seconds:.1f} s)"
    )


def _counts(counts: "BuildReport | Preview", removed: int) -> str:
    names = ("new", "unchanged", "updated", "duplicate", "rejected")
    told = [f"{getattr(counts, name):,} {name}" for name in names]
    return ", ".join([*told, f"{removed:,} removed"] if removed else told)


QUIET_MS = 2_000
"""Files are read once nothing has been written for so long: half of one is none."""


def watch(folder: Path, settings: "Settings", stop: threading.Event | None = None) -> None:
    """Index a folder, and then whatever comes into it, until it is interrupted or `stop` is set.

    A file that cannot be read is told, and read again when it changes. A folder that is not there
    is an `InputError`.
    """
    from watchfiles import watch as changes

    from index.manifest import current

    _check(folder)
    note(f"watching {folder}; new files are indexed as they come (Ctrl+C ends it)")
    if any(path.is_file() and path.name[0] != "." for path in folder.rglob("*")):
        _index(folder, settings)
    elif current(settings.store) is not None:
        resume_beside(settings)
    # After ten minutes of writing in any case.
    told = changes(folder, step=QUIET_MS, debounce=600_000, stop_event=stop, raise_interrupt=False)
    for _ in told:
        _index(folder, settings)


def watch_beside(folder: Path, settings: "Settings") -> None:
    """Watch a folder in a thread that ends with the process; without one an `InputError`."""
    _check(folder)
    threading.Thread(target=watch, args=(folder, settings), daemon=True).start()


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: name one to watch")


def _index(folder: Path, settings: "Settings") -> None:
    from index.build import build

    try:
        with _encoding(settings) as (store, encoder, progress):
            report = build([folder], store, encoder, progress=progress)
    except AbstractQAError as error:
        note(str(error))
        return
    for problem in report.problems[:5]:
        note(str(problem))
    if report.generation != report.previous:
        note(summary(report, settings.store))
