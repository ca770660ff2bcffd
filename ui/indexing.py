"""The `index` command: reading files into the index, looking first, removing, taking back."""

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import InputError
from ui.terminal import Progress, note, say, wrap

if TYPE_CHECKING:
    from index.build import BuildReport
    from index.preview import Preview
    from index.readers import Problem
    from rag.settings import Settings

MOST_PROBLEMS = 20
"""Unreadable entries that are named one by one."""

_SHOWN = ("new", "updated")
"""States of entries that a preview names; the others change nothing."""


def index(arguments: Namespace, settings: "Settings") -> int:
    """Read files into the index, or do what the options say instead.

    What can be read is indexed; a damaged file ends the command with 1 all the same.
    """
    if arguments.undo + arguments.preview + bool(arguments.remove) > 1:
        raise InputError("give one of --undo, --preview and --remove")
    for option in ("undo", "remove"):
        if getattr(arguments, option) and arguments.paths:
            raise InputError(f"--{option} takes no PATH")
    if arguments.undo:
        return _undo(settings.store, as_json=arguments.json)
    if arguments.remove:
        return _remove(arguments.remove, settings.store, as_json=arguments.json)
    if not arguments.paths or not all(arguments.paths):
        raise InputError("no PATH given; name a file or folder of abstracts to index")
    paths = [Path(path) for path in arguments.paths]
    if arguments.preview:
        return _preview(paths, arguments, settings.store)
    report = index_files(paths, settings, arguments.format, arguments.year)
    _tell_problems(report.problems)
    if arguments.json:
        say(json.dumps(asdict(report), ensure_ascii=False, default=str))
    else:
        say(_summary(report, settings.store))
    return 1 if report.is_damaged else 0


def index_files(
    paths: Sequence[Path],
    settings: "Settings",
    format: str,  # noqa: A002 - the name of the command's option
    year: int | None,
) -> "BuildReport":
    """Read files into the index and show how far it is."""
    from index.build import build
    from index.encoder import LocalEncoder

    encoder = LocalEncoder.open(settings.encoder)
    with Progress() as progress:
        return build(paths, settings.store, encoder, format=format, year=year, progress=progress)


def _preview(paths: Sequence[Path], arguments: Namespace, store: Path) -> int:
    from index.preview import preview

    found = preview(paths, store, format=arguments.format, year=arguments.year)
    _tell_problems(found.problems)
    if arguments.json:
        from pydantic import TypeAdapter

        document = TypeAdapter(type(found)).dump_python(found, mode="json")
        say(json.dumps(document | {"rejected": found.rejected}, ensure_ascii=False))
    else:
        say(_preview_text(found, store))
    return 1 if found.is_damaged else 0


def _preview_text(found: "Preview", store: Path) -> str:
    changes = [(str(entry.state), entry.paper) for entry in found.entries if entry.state in _SHOWN]
    changes += [("removed", paper) for paper in found.removed]
    width = max((len(state) for state, _ in changes), default=0) + 2
    lines = (
        wrap(f"{state:\u00a0<{width}}{paper.display_title}", "", " " * width)
        for state, paper in changes
    )
    end = f"{store} would hold {found.papers:,} papers; nothing was written"
    return "\n".join([*lines, _counts(found, len(found.removed)), end])


def _remove(names: Sequence[str], store: Path, *, as_json: bool) -> int:
    from index.removal import find_ids, remove
    from index.store import check_is_store, live_papers, no_index

    check_is_store(store)
    live, papers = live_papers(store)
    if live is None:
        raise no_index(store)
    with Progress() as progress:
        report = remove(find_ids(names, papers), store, progress=progress)
    if as_json:
        from pydantic import TypeAdapter

        say(TypeAdapter(type(report)).dump_json(report).decode())
    else:
        lines = (wrap(f"removed {paper.display_title}", "", " " * 8) for paper in report.removed)
        end = f"{report.papers:,} papers and {report.passages:,} sentences in {store}"
        say("\n".join([*lines, end]))
    return 0


def _undo(store: Path, *, as_json: bool) -> int:
    from index.publish import undo

    generation = undo(store)
    say(
        json.dumps({"generation": generation})
        if as_json
        else f"The index at {store} is again that of {generation}."
    )
    return 0


def _tell_problems(problems: "Sequence[Problem]") -> None:
    """Name the problems on stderr, damage first."""
    ordered = sorted(problems, key=lambda problem: not problem.is_damage)
    for problem in ordered[:MOST_PROBLEMS]:
        note(str(problem))
    if len(ordered) > MOST_PROBLEMS:
        note(f"… and {len(ordered) - MOST_PROBLEMS:,} more")


def _summary(report: "BuildReport", store: Path) -> str:
    return (
        f"{_counts(report, report.removed)}\n"
        f"{report.papers:,} papers and {report.passages:,} sentences in {store} "
        f"({report.embedded:,} texts embedded, {report.seconds:.1f} s)"
    )


def _counts(counts: "BuildReport | Preview", removed: int) -> str:
    names = ("new", "unchanged", "updated", "duplicate", "rejected")
    told = [f"{getattr(counts, name):,} {name}" for name in names]
    return ", ".join([*told, f"{removed:,} removed"] if removed else told)
