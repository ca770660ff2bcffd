"""Taking papers out of an index; `index.publish.undo` puts them back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from index.build import Progress
from index.catalog import ids_of
from index.collection_map import carry_on, map_collection
from index.cuts import code_hash
from index.errors import InputError
from index.generation import Contents, write_generation
from index.papers import Paper, letters
from index.publish import new_generation_id, writer_lock
from index.store import Index, check_is_store, current, no_index

_NEAREST = 3
_LEAST_LIKENESS = 50


@dataclass(frozen=True, slots=True)
class RemovalReport:
    """What was removed, and what is left."""

    removed: tuple[Paper, ...]
    papers: int
    """Papers in the index now."""
    passages: int
    """Sentence passages in the index now."""
    generation: str
    """The live generation, a new one."""
    previous: str
    """The generation before it, which still has the papers."""


def remove(ids: Sequence[str], store: Path, *, progress: Progress | None = None) -> RemovalReport:
    """Publish the index without the papers of these ids.

    Nothing is embedded. A removed paper comes back when a file that names it is indexed again.

    Raises:
        InputError: no id is given, one is not in the index, or no paper would be left.
        StoreBusyError: another process is writing.
        StoreError: there is no index, it is damaged, or cannot be written.
    """
    if not ids:
        raise InputError("nothing to remove: name a paper by its id")
    check_is_store(store)
    if current(store) is None:
        raise no_index(store)
    with writer_lock(store):
        live = Index.open(store)
        gone = set(ids)
        if unknown := gone - set(ids_of(live.papers)):
            raise InputError(f"no paper {min(unknown)!r} in the index: give an id that is in it")
        stored = list(live.papers)
        papers = [paper for paper in stored if paper.id not in gone]
        if not papers:
            raise InputError(
                "that would remove every paper: index others first, or delete the folder"
                f" {store} to start anew"
            )
        contents = Contents.of(papers, live, stored)
        if progress:
            progress("map", 0, len(papers))
        rows = [row for row, paper in enumerate(stored) if paper.id not in gone]
        map_ = None
        if live.is_covered:
            vectors = live.paper_vectors[rows]
            map_ = carry_on(live.map, papers, vectors) or map_collection(papers, vectors)
        if progress:
            progress("map", len(papers), len(papers))
        named = {source.name for paper in papers for source in paper.sources}
        origins = live.manifest.origins
        manifest = live.manifest.model_copy(
            update={
                "generation": new_generation_id(),
                "previous": live.manifest.generation,
                "created": datetime.now(UTC),
                "papers": len(papers),
                "passages": len(contents.cuts.owner),
                "origins": {name: origins[name] for name in origins if name in named},
                "content": contents.content,
                "code": code_hash(),
                "files": {},
            }
        )
        manifest = write_generation(store, manifest, contents, map_)
    return RemovalReport(
        removed=tuple(paper for paper in stored if paper.id in gone),
        papers=manifest.papers,
        passages=manifest.passages,
        generation=manifest.generation,
        previous=live.manifest.generation,
    )


def find_ids(names: Sequence[str], papers: Iterable[Paper]) -> tuple[str, ...]:
    """The id of each paper that is named by its id or its title, case and LaTeX ignored.

    Raises:
        InputError: a name is no paper's, or that of several; the message says which are near.
    """
    known = list(papers)
    ids = {paper.id for paper in known}
    return tuple(name if name in ids else _find_id(name, known) for name in names)


def _find_id(title: str, papers: Sequence[Paper]) -> str:
    key = letters(title)
    named = [paper for paper in papers if key and letters(paper.title) == key]
    if len(named) == 1:
        return named[0].id
    if named:
        ids = ", ".join(paper.id for paper in named)
        raise InputError(f"{len(named)} papers have the title {title!r}: give an id ({ids})")
    titles = [paper.display_title for paper in papers]
    near = process.extract(
        title,
        titles,
        scorer=fuzz.WRatio,
        processor=default_process,
        limit=_NEAREST,
        score_cutoff=_LEAST_LIKENESS,
    )
    nearest = "; ".join(f"{found!r}" for found, *_ in near)
    hint = f"the nearest titles are {nearest}" if near else "give a title or an id that is in it"
    raise InputError(f"no paper {title!r} in the index: {hint}")
