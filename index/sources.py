"""Recognise files that were indexed before, and name and replace the sources of papers.

As seen from another folder a file has another name, so the manifest keeps its origin, too.
"""

import hashlib
import os
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path, PurePath

from pydantic import BaseModel, Field

from index.papers import Paper, Source


class Origin(BaseModel, frozen=True):
    """The file behind a source's name, as it was when it was last read."""

    content: str = Field(description="SHA-256 of its bytes, hexadecimal.")
    # A hash, since an index may be passed on.
    place: str = Field(description="SHA-256 of its absolute path; of an upload, of its content.")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file from which an indexing run read papers."""

    name: str  # the name of the papers' sources; unique in the run
    path: Path | None
    origin: Origin
    is_whole: bool = True  # so that papers that were not read from it are no longer in it


def sha256_of(*paths: Path) -> str:
    """Return the SHA-256 of the files' joined contents, hexadecimal, or raise `OSError`."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()


def source_name(path: PurePath) -> str:
    """Return the path as one line; bytes that are not UTF-8 and control characters are escaped."""
    name = os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
    spelled = (repr(c)[1:-1] if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in name)
    return "".join(spelled)


def free_name(path: Path | None, name: str, taken: Collection[str]) -> str:
    """Return `name` with folders of `path` until it is not `taken`, without a `path` numbered."""
    if path is None:
        base = PurePath(name)
        numbered = (f"{base.stem} ({number}){base.suffix}" for number in count(2))
        return next(free for free in chain([name], numbered) if free not in taken)
    parts = path.resolve().parts
    length = name.count("/") + 1
    while name in taken and length < len(parts):
        length += 1
        name = source_name(PurePath(*parts[-length:]))
    return name


def recognise(files: Sequence[SourceFile], known: Mapping[str, Origin]) -> dict[str, str]:
    """Return the index's names of a run's files: of the same place or content, or a new one."""
    by_place = {origin.place: name for name, origin in known.items()}
    names = {f.name: by_place[f.origin.place] for f in files if f.origin.place in by_place}
    still_there = set(names.values())
    by_content = {o.content: name for name, o in known.items() if name not in still_there}
    by_content |= {f.origin.content: names[f.name] for f in files if f.name in names}
    taken = {*known}
    for file in files:
        if file.name not in names:
            name = by_content.get(file.origin.content)
            name = name or free_name(file.path, file.name, taken)
            names[file.name] = by_content[file.origin.content] = name
            taken.add(name)
    return names


def with_sources(paper: Paper, sources: Iterable[Source]) -> Paper:
    """Return the paper with other sources."""
    new = tuple(sources)
    return paper if new == paper.sources else paper.model_copy(update={"sources": new})


def renamed(papers: Iterable[Paper], names: Mapping[str, str]) -> list[Paper]:
    """Return the papers with their sources renamed by `names`, old to new."""

    def named(source: Source) -> Source:
        return source.model_copy(update={"name": names.get(source.name, source.name)})

    return [with_sources(paper, map(named, paper.sources)) for paper in papers]


def without(papers: Iterable[Paper], names: Collection[str]) -> list[Paper]:
    """Remove the sources of these names, and the papers that then have no source left."""
    return [
        with_sources(paper, left)
        for paper in papers
        if (left := [s for s in paper.sources if s.name not in names]) or not paper.sources
    ]
