"""The `index` command: reading files into the index, looking first, removing, taking back."""

import functools
import json
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from index.errors import AbstractQAError, InputError
from ui.terminal import Progress, note, say, wrap

if TYPE_CHECKING:
    from index.build import BuildReport
    from index.encoder import Encoder
    from index.plan import Preview
    from index.readers import Upload
    from rag.settings import Settings


def index(arguments: Namespace, settings: "Settings") -> int:
    """Read files into the index, or do what the options say instead.

    What can be read is indexed; a damaged file ends the command with 1 all the same.
    """
    options = ("undo", "preview", "remove", "watch", "resume")
    if sum(bool(getattr(arguments, option)) for option in options) > 1:
        raise InputError("give one of --undo, --preview, --remove, --watch and --resume")
    for option in ("undo", "remove", "watch", "resume"):
        if getattr(arguments, option) and arguments.paths:
            raise InputError(f"--{option} takes no PATH")
    as_json: bool = arguments.json
    if arguments.undo:
        return _undo(settings, as_json=as_json)
    if arguments.remove:
        return _remove(arguments.remove, settings, as_json=as_json)
    if arguments.watch is not None:
        return watch(arguments.watch, settings)
    engine = Engine(arguments.engine, arguments.address)
    if arguments.resume:
        report = resume_index(settings, engine)
        _show(report, summary(report, settings.store), as_json=as_json)
        return 0
    if not arguments.paths or not all(arguments.paths):
        raise InputError("no PATH given; name a file or folder of abstracts to index")
    paths = [_given(path) for path in arguments.paths]
    how: How = {
        "format": arguments.format,
        "year": arguments.year,
        "columns": _columns(arguments.columns),
        "merge": not arguments.no_merge,
    }
    if arguments.preview:
        return _preview(paths, how, settings.store, as_json=as_json)
    report = index_files(paths, settings, engine, **how)
    _tell(report)
    _show(report, summary(report, settings.store), as_json=as_json)
    return 1 if report.is_damaged else 0


def _show(result: object, text: str, *, as_json: bool) -> None:
    """Print what a command did: as one JSON document, or for people."""
    if as_json:
        from pydantic import TypeAdapter

        text = TypeAdapter(type(result)).dump_json(result).decode()
    say(text)


class How(TypedDict, total=False):
    """What a user says of files beside their names; see `index.build.build`."""

    format: str
    year: int | None
    columns: dict[str, str]
    merge: bool


def _given(path: str) -> "Path | Upload":
    """A path, or what comes on standard input."""
    from index.readers import Upload

    return Upload("stdin", sys.stdin.buffer.read()) if path == "-" else Path(path)


def _columns(text: str) -> dict[str, str]:
    """The columns of `--columns title=Name,abstract=Text`, by field."""
    from index.readers.records import FIELDS

    found: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        field, sign, heading = part.partition("=")
        if not sign or field.strip() not in FIELDS or not heading.strip():
            known = ", ".join(FIELDS)
            raise InputError(f"--columns {part!r}: write FIELD=HEADING, with a field of {known}")
        found[field.strip()] = heading.strip()
    return found


@dataclass(frozen=True)
class Engine:
    """Where texts are encoded: here, or on a Ray cluster."""

    name: Literal["local", "ray"] = "local"
    address: str | None = None

    @contextmanager
    def encoder(self, settings: "Settings") -> "Iterator[Encoder]":
        """The encoder of the settings, run there."""
        from index.encoder import open_encoder

        make = functools.partial(open_encoder, settings.encoder, settings.secret_of_encoder)
        if self.name == "local":
            if self.address:
                raise InputError("--address needs --engine ray")
            yield make()
            return
        from index.remote import RayEncoder

        encoder = RayEncoder(make, self.address)
        try:
            yield encoder
        finally:
            encoder.close()


HERE = Engine()


def index_files(
    paths: "Sequence[Path | Upload]",
    settings: "Settings",
    engine: Engine = HERE,
    **how: Unpack[How],
) -> "BuildReport":
    """Read files into the index and show how far it is."""
    from index.build import build

    settings.chroma()  # an address that is none is refused before anything is done
    with engine.encoder(settings) as encoder, Progress() as progress:
        report = build(paths, settings.store, encoder, progress=progress, **how)
    bring_to_chroma(settings)
    return report


def begin(settings: "Settings", *, with_sample: bool) -> None:
    """Make the first index of a store: the bundled sample, or one without papers."""
    if with_sample:
        from index.sample import sample_files

        note(f"There is no index at {settings.store} yet; indexing the bundled sample.")
        index_files(sample_files(), settings, format="digest")
        return
    from index.build import build_papers
    from index.manifest import check_is_store

    check_is_store(settings.store)
    note(f"There is no index at {settings.store} yet; papers can be added on the page.")
    with HERE.encoder(settings) as encoder:
        build_papers((), settings.store, encoder)


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
            with Progress() as progress:
                count = functools.partial(progress, "chroma")
                changed = chroma.bring(index, settings.store, count)
            found = recall(index, chroma)
            note(f"{changed:,} records changed on {settings.chroma_url}; recall@10 {found:.3f}")
    except AbstractQAError as error:
        note(f"{error}; the next run writes what changed, and questions compare everything")


def resume_index(settings: "Settings", engine: Engine = HERE) -> "BuildReport":
    """Encode what the index lacks, and show how far it is."""
    from index.build import resume

    with engine.encoder(settings) as encoder, Progress() as progress:
        report = resume(settings.store, encoder, progress=progress)
    bring_to_chroma(settings)
    return report


def resume_beside(settings: "Settings") -> threading.Thread | None:
    """Encode what the index lacks in a thread that ends with the process; None if it lacks none.

    A store that another process is writing is left to it.
    """
    from index.store import Index

    if Index.open(settings.store).is_finished:
        return None

    def work() -> None:
        try:
            resume_index(settings)
        except AbstractQAError as error:
            note(str(error))

    note("not all abstracts are encoded yet; questions are answered meanwhile")
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _preview(paths: "Sequence[Path | Upload]", how: How, store: Path, *, as_json: bool) -> int:
    from index.plan import preview

    found = preview(paths, store, **how)
    _tell(found)
    _show(found, _preview_text(found, store), as_json=as_json)
    return 1 if found.is_damaged else 0


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


def _remove(names: Sequence[str], settings: "Settings", *, as_json: bool) -> int:
    from index.build import find_ids, remove
    from index.manifest import check_is_store, live_papers, no_index

    store = settings.store
    check_is_store(store)
    live, papers = live_papers(store)
    if live is None:
        raise no_index(store)
    with Progress() as progress:
        report = remove(find_ids(names, papers), store, progress=progress)
    bring_to_chroma(settings)
    lines = (wrap(f"removed {paper.display_title}", "", " " * 8) for paper in report.removed)
    end = f"{report.papers:,} papers and {report.passages:,} sentences in {store}"
    _show(report, "\n".join([*lines, end]), as_json=as_json)
    return 0


def _undo(settings: "Settings", *, as_json: bool) -> int:
    from index.publish import undo

    generation = undo(settings.store)
    bring_to_chroma(settings)
    text = f"The index at {settings.store} is again that of {generation}."
    say(json.dumps({"generation": generation}) if as_json else text)
    return 0


def _tell(read: "BuildReport | Preview") -> None:
    """Say on stderr what files were taken for, what is wrong in them, and what is one paper."""
    _tell_some([f"{name}: read as {format_}" for name, format_ in read.formats])
    worst_first = sorted(read.problems, key=lambda each: (each.is_warning, not each.is_damage))
    _tell_some([f"{each}; {each.option}" if each.option else each for each in worst_first])
    _tell_some(read.merges)


def _tell_some(lines: Sequence[object], most: int = 20) -> None:
    for line in lines[:most]:
        note(str(line))
    if len(lines) > most:
        note(f"… and {len(lines) - most:,} more")


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


QUIET_SECONDS = 2.0
"""A file is read once nothing has been written to it for so long: half of one is none."""


def watch(folder: Path, settings: "Settings", stop: threading.Event | None = None) -> int:
    """Index a folder, and then whatever comes into it, until it is interrupted.

    A file that cannot be read is told, and read again when it changes.

    Args:
        folder: What to watch, with all folders inside it.
        settings: Where the index is, and its encoder.
        stop: Ends the watching when it is set.

    Raises:
        InputError: there is no such folder.
    """
    from index.manifest import current

    _check(folder)
    note(f"watching {folder}; new files are indexed as they come (Ctrl+C ends it)")
    if any(_visible(folder)):
        _index(folder, settings)
    elif current(settings.store) is not None:
        resume_beside(settings)
    for _ in _changes(folder, stop or threading.Event()):
        _index(folder, settings)
    return 0


def watch_beside(folder: Path, settings: "Settings") -> threading.Thread:
    """Watch a folder in a thread that ends with the process.

    Raises:
        InputError: there is no such folder.
    """
    _check(folder)
    thread = threading.Thread(target=watch, args=(folder, settings), daemon=True)
    thread.start()
    return thread


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: name one to watch")


def _visible(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")


def _index(folder: Path, settings: "Settings") -> None:
    try:
        report = index_files([folder], settings)
    except AbstractQAError as error:
        note(str(error))
        return
    for problem in report.problems[:5]:
        note(str(problem))
    if report.generation != report.previous:
        note(summary(report, settings.store))


def _changes(folder: Path, stop: threading.Event) -> Iterator[None]:
    """Once for each time that files came or changed, when they are whole."""
    from watchfiles import watch as changes

    for _ in changes(folder, stop_event=stop, raise_interrupt=False):
        while not stop.is_set():
            before = _state(folder)
            if stop.wait(QUIET_SECONDS) or _state(folder) == before:
                break
        yield


def _state(folder: Path) -> dict[Path, tuple[int, int]]:
    """The sizes and times of the files."""
    found: dict[Path, tuple[int, int]] = {}
    for path in _visible(folder):
        try:
            stat = path.stat()
        except OSError:  # gone meanwhile
            continue
        found[path] = (stat.st_size, stat.st_mtime_ns)
    return found
