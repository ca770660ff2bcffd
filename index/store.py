"""The index on disk, and how it is read.

A store is a folder: `CURRENT` names the live generation, `generations/<id>/` holds `chroma/`,
`lexical/`, `papers.jsonl`, `map.json`, `names-1.npz` and `manifest.json`, and `LOCK` is held by the
process that writes. A published generation never changes, so readers and a writer do not disturb
each other.
"""

import re
import shlex
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from index import collection_map, names
from index.collection_map import CollectionMap
from index.errors import StoreError
from index.lexical import LexicalIndex
from index.manifest import FILE_NAME, Manifest, check_files, damaged, read_manifest
from index.names import Names
from index.papers import Paper, letters
from index.passages import Passage
from index.sources import source_name
from index.vectors import Record, chroma, copy_chroma, read_collection

CURRENT = "CURRENT"
LOCK = "LOCK"
GENERATIONS = "generations"
CHROMA = "chroma"
LEXICAL = "lexical"
PAPERS = "papers.jsonl"

UNFINISHED = ".tmp"
"""What the name of a generation that is being written ends in."""

_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
_OURS = {CURRENT, f"{CURRENT}.tmp", LOCK, GENERATIONS}


def current(store: Path) -> str | None:
    """The id of the live generation, or None if nothing was published. Reads one small file.

    Raises:
        StoreError: the store cannot be read, has lost its `CURRENT`, or the folder is no store.
    """
    given = _read_current(store)
    if given is not None and _ID.fullmatch(given):
        return given
    if finished := [folder.name for folder in own_generations(store) if _is_finished(folder)]:
        raise StoreError(
            f"the index at {store} has lost the name of its live generation: to use the newest"
            f" one, run: echo {finished[-1]} > {shlex.quote(str(store / CURRENT))}"
        )
    if given is not None:
        raise _not_a_store(store, CURRENT)
    return None


def _read_current(store: Path) -> str | None:
    """What `CURRENT` holds, or None if there is no such file."""
    try:
        return (store / CURRENT).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (IsADirectoryError, UnicodeDecodeError):
        return ""
    except (OSError, ValueError) as error:
        raise _unreadable(store, error) from error


def own_generations(store: Path) -> list[Path]:
    """The folders in `generations/` that this program made, finished or not, oldest first."""
    return [path for path in _entries(store / GENERATIONS) if _is_generation(path)]


def _is_generation(path: Path) -> bool:
    is_named_so = _ID.fullmatch(path.name.removesuffix(UNFINISHED)) is not None
    return is_named_so and path.is_dir() and not path.is_symlink()


def _is_finished(generation: Path) -> bool:
    return generation.suffix != UNFINISHED and (generation / FILE_NAME).is_file()


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, by name; nothing if there is no such folder."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error


def check_is_store(store: Path) -> None:
    """Check that `store` is a store or could become one: missing, or empty.

    Files of other programs do not matter in a store that has its `CURRENT`, and hidden files,
    which file managers leave in every folder, matter nowhere.

    Raises:
        StoreError: it is a file, or a folder with other things in it, or has lost its `CURRENT`,
            or its name is not UTF-8.
    """
    try:
        str(store).encode()
    except UnicodeEncodeError as error:  # Chroma could not open it
        name = source_name(store)
        raise StoreError(f"the folder name {name} is not UTF-8: give another --store") from error
    entries = _entries(store)
    if not entries and store.is_file():
        raise StoreError(f"{store} is a file, not an index folder: give another --store")
    if current(store) is not None:
        return
    generations = store / GENERATIONS
    foreign = [path for path in entries if path.name not in _OURS]
    foreign += [generations] if generations.is_file() else []
    foreign += [path for path in _entries(generations) if not _is_generation(path)]
    for path in foreign:
        if not (path.name.startswith(".") and path.is_file()):
            raise _not_a_store(store, path.relative_to(store).as_posix())


def _not_a_store(store: Path, held: str) -> StoreError:
    return StoreError(f"{store} is not an index folder (it holds {held!r}): give another --store")


def _unreadable(store: Path, error: OSError | ValueError) -> StoreError:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return StoreError(f"{store} cannot be read ({why}): give another --store")


def no_index(store: Path) -> StoreError:
    """The error for a store in which nothing was published."""
    where = shlex.quote(str(store))
    return StoreError(f"no index at {store}: run abstractqa index PATH... --store {where}")


def generation_folder(store: Path, generation: str) -> Path:
    """Where a generation lies."""
    return store / GENERATIONS / generation


def read_papers(store: Path, generation: str) -> tuple[Manifest, tuple[Paper, ...]]:
    """The manifest and the papers of a generation, after checking the hash of its every file.

    Raises:
        StoreError: the generation is missing, damaged, or of a newer format.
    """
    folder = generation_folder(store, generation)
    if not folder.is_dir():
        raise damaged(store, f"generation {generation} is missing")
    manifest = read_manifest(folder, store)
    check_files(folder, manifest, store)
    try:
        # Not splitlines: JSON leaves line separators such as U+2028 in its strings.
        lines = (folder / PAPERS).read_text(encoding="utf-8").split("\n")
        return manifest, tuple(Paper.model_validate_json(line) for line in lines if line)
    except (OSError, ValidationError) as error:
        raise damaged(store, f"{generation}/{PAPERS} cannot be read") from error


def live_papers(store: Path) -> tuple[Manifest | None, tuple[Paper, ...]]:
    """The live generation's manifest and papers, if there is one; Chroma stays closed.

    Raises:
        StoreError: as `read_papers`.
    """
    generation = current(store)
    if generation is None:
        return None, ()
    try:
        return read_papers(store, generation)
    except StoreError:
        # Another process may have published twice meanwhile and removed what we read.
        if current(store) == generation:
            raise
    return live_papers(store)


def previous_papers(store: Path) -> tuple[Paper, ...] | None:
    """The papers of the generation before the live one, in the order of their ids.

    Returns:
        () if the live generation is the first; None if the one before it is not kept any more,
        as after an undo.

    Raises:
        StoreError: there is no index, or it is damaged.
    """
    live = current(store)
    if live is None:
        raise no_index(store)
    try:
        previous = read_manifest(generation_folder(store, live), store).previous
        if previous is None:
            return ()
        if not generation_folder(store, previous).is_dir():
            return None
        return read_papers(store, previous)[1]
    except StoreError:
        if current(store) == live:
            raise
    return previous_papers(store)


@dataclass(frozen=True, eq=False)
class Index:
    """A generation of the index, whole in memory: nothing on disk is needed after `open`.

    With P papers, S passages and vectors of length d, all of unit length:
    """

    manifest: Manifest
    papers: tuple[Paper, ...]
    """P papers in the order of their ids."""
    paper_texts: tuple[str, ...]
    """The P texts that were embedded for the papers."""
    passages: tuple[Passage, ...]
    """S passages, those of one paper together and in order, in the order of the papers."""
    owner: NDArray[np.int64]
    """The row in `papers` of each passage, shape (S,), ascending."""
    paper_vectors: NDArray[np.float32]
    """Shape (P, d)."""
    passage_vectors: NDArray[np.float32]
    """Shape (S, d)."""
    lexical: LexicalIndex
    names: Names
    map_json: bytes | None = None
    """The map as it was stored."""

    @cached_property
    def _rows(self) -> dict[str, int]:
        """Row of each paper by its id, and by the letters of its title."""
        titles = {letters(paper.title): row for row, paper in enumerate(self.papers)}
        return titles | {paper.id: row for row, paper in enumerate(self.papers)}

    def row_of(self, name: str) -> int | None:
        """The row of the paper of this id or title; None if there is none."""
        row = self._rows.get(name)
        return self._rows.get(letters(name)) if row is None else row

    @cached_property
    def map(self) -> CollectionMap | None:
        """The map of the collection; None if an earlier version wrote the generation."""
        if self.map_json is None:
            return None
        return CollectionMap.model_validate_json(self.map_json)

    @classmethod
    def open(cls, store: Path) -> Self:
        """Read the live generation of `store` after checking its files' hashes.

        Raises:
            StoreError: there is no index, it is damaged, or of a newer format.
        """
        check_is_store(store)
        generation = current(store)
        if generation is None:
            raise no_index(store)
        try:
            return cls._read(store, generation)
        except StoreError:
            # Another process may have published twice meanwhile and removed what we read.
            if current(store) in {None, generation}:
                raise
        return cls.open(store)

    @classmethod
    def _read(cls, store: Path, generation: str) -> Self:
        manifest, papers = read_papers(store, generation)
        folder = generation_folder(store, generation)
        try:
            with tempfile.TemporaryDirectory(prefix="abstractqa-") as scratch:
                # A copy, because Chroma writes into what it opens, and is not process-safe.
                copy = copy_chroma(folder / CHROMA, Path(scratch) / CHROMA)
                with chroma(copy) as client:
                    wholes = read_collection(client, "papers", manifest.dimension)
                    sentences = read_collection(client, "passages", manifest.dimension)
            lexical = LexicalIndex.load(folder / LEXICAL)
            has_names = names.FILE_NAME in manifest.files  # an earlier version wrote none
            table = Names.load(folder) if has_names else Names.build(papers)
            has_map = collection_map.FILE_NAME in manifest.files
            map_json = (folder / collection_map.FILE_NAME).read_bytes() if has_map else None
        except OSError as error:
            raise StoreError(
                f"the index at {store} cannot be read ({error.strerror or error}):"
                f" check that {tempfile.gettempdir()} has space for a copy of it"
            ) from error
        return cls._assemble(store, manifest, papers, wholes, sentences, lexical, table, map_json)

    @classmethod
    def _assemble(
        cls,
        store: Path,
        manifest: Manifest,
        papers: tuple[Paper, ...],
        wholes: tuple[list[Record], NDArray[np.float32]],
        sentences: tuple[list[Record], NDArray[np.float32]],
        lexical: LexicalIndex,
        table: Names,
        map_json: bytes | None,
    ) -> Self:
        """Put Chroma's records into the order of the papers."""
        whole_rows = {record.id: row for row, record in enumerate(wholes[0])}
        if whole_rows.keys() != {paper.id for paper in papers}:
            raise damaged(store, "its papers and its vectors do not agree")
        by_paper: dict[str, list[int]] = defaultdict(list)
        for row, record in enumerate(sentences[0]):
            by_paper[str(record.metadata["paper"])].append(row)
        passages: list[Passage] = []
        rows: list[int] = []
        owner: list[int] = []
        for number, paper in enumerate(papers):
            own = by_paper.get(paper.id, [])
            own.sort(key=lambda row: sentences[0][row].metadata["start"])
            passages += (_passage(sentences[0][row]) for row in own)
            rows += own
            owner += [number] * len(own)
        order = [whole_rows[paper.id] for paper in papers]
        return cls(
            manifest=manifest,
            papers=papers,
            paper_texts=tuple(wholes[0][row].text for row in order),
            passages=tuple(passages),
            owner=np.asarray(owner, dtype=np.int64),
            paper_vectors=wholes[1][order],
            passage_vectors=sentences[1][rows],
            lexical=lexical,
            names=table,
            map_json=map_json,
        )


def _passage(record: Record) -> Passage:
    metadata = record.metadata
    return Passage(
        str(metadata["paper"]), int(metadata["start"]), int(metadata["end"]), record.text
    )
