"""The index on disk, and how it is read.

A store is a folder: `CURRENT` names the live generation, `generations/<id>/` holds its papers,
passages, words, names, map and `manifest.json`, `vectors/` the file of vectors that generations
share (`index.vectors`), and `LOCK` is held by the process that writes. A published generation never
changes, so readers and a writer do not disturb each other.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from index import catalog, collection_map
from index.catalog import Papers
from index.collection_map import CollectionMap
from index.cuts import Cuts, Passages
from index.encoder import Encoder
from index.errors import StoreError
from index.lexical import LexicalIndex
from index.manifest import (
    FILE_NAME,
    FORMAT_VERSION,
    Manifest,
    check_files,
    damaged,
    read_manifest,
)
from index.names import Names
from index.papers import Paper, letters
from index.passages import Passage, paper_text
from index.sources import source_name
from index.vectors import Candidates, Keys, Log, Vectors, checksums

CURRENT = "CURRENT"
LOCK = "LOCK"
GENERATIONS = "generations"
VECTORS = "vectors"

FEW = 20_000
"""Papers that are compared one by one where a filter leaves no more."""

UNFINISHED = ".tmp"
"""What the name of a generation that is being written ends in."""

_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
_OURS = {CURRENT, f"{CURRENT}.tmp", LOCK, GENERATIONS, VECTORS}


def current(store: Path) -> str | None:
    """The id of the live generation, or None if nothing was published. Reads one small file.

    A single generation is live without being named.

    Raises:
        StoreError: the store cannot be read, has lost its `CURRENT`, or the folder is no store.
    """
    given = _read_current(store)
    if given is not None and _ID.fullmatch(given):
        return given
    finished = [folder.name for folder in own_generations(store) if _is_finished(folder)]
    if given is None and len(finished) == 1:
        return finished[0]  # the first one, killed before it was named
    if finished:
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
    except UnicodeEncodeError as error:
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


def read_papers(store: Path, generation: str) -> tuple[Manifest, Sequence[Paper]]:
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
        if manifest.format_version == FORMAT_VERSION:
            return manifest, Papers(folder)
        # Not splitlines: JSON leaves line separators such as U+2028 in its strings.
        lines = (folder / catalog.FILE_NAME).read_text(encoding="utf-8").split("\n")
        return manifest, tuple(Paper.model_validate_json(line) for line in lines if line)
    except (OSError, ValidationError) as error:
        raise damaged(store, f"{generation}/{catalog.FILE_NAME} cannot be read") from error


def live_papers(store: Path) -> tuple[Manifest | None, Sequence[Paper]]:
    """The live generation's manifest and papers, if there is one, of this format or an older one.

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


def previous_papers(store: Path) -> Sequence[Paper] | None:
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
    """A generation of the index. Texts and vectors are read from mapped files when needed.

    What is published never changes, and a removed file stays readable for who has it open, so
    neither a writer nor a later generation disturbs this one. With P papers, S passages and
    vectors of length d, all of unit length:
    """

    manifest: Manifest
    papers: Sequence[Paper]
    """P papers in the order of their ids."""
    passages: Sequence[Passage]
    """S passages, those of one paper together and in order, in the order of the papers."""
    owner: NDArray[np.int64]
    """The row in `papers` of each passage, shape (S,), ascending."""
    paper_vectors: Vectors | NDArray[np.float32]
    """Shape (P, d)."""
    passage_vectors: Vectors | NDArray[np.float32]
    """Shape (S, d)."""
    lexical: LexicalIndex
    names: Names
    map_json: bytes | None = None
    """The map as it was stored."""

    @cached_property
    def _rows(self) -> tuple[dict[str, int], dict[str, int]]:
        """Row of each paper by its id, and by the letters of its title."""
        if isinstance(self.papers, Papers):
            return self.papers.rows, self.papers.titled
        rows = {paper.id: row for row, paper in enumerate(self.papers)}
        return rows, {letters(paper.title): row for row, paper in enumerate(self.papers)}

    def row_of(self, name: str) -> int | None:
        """The row of the paper of this id or title; None if there is none."""
        ids, titles = self._rows
        row = ids.get(name)
        return titles.get(letters(name)) if row is None else row

    @cached_property
    def map(self) -> CollectionMap | None:
        """The map of the collection; None if it is not drawn yet."""
        if self.map_json is None:
            return None
        return CollectionMap.model_validate_json(self.map_json)

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """The cluster of each paper on the map, 0 without one, shape (P,)."""
        found = np.zeros(len(self.papers), dtype=np.int64)
        for point in self.map.points if self.map else ():
            found[self._rows[0][point.id]] = point.cluster
        return found

    @cached_property
    def coverage(self) -> float:
        """The share of papers and passages that have their vectors, from 0 to 1."""
        parts = (self.paper_vectors, self.passage_vectors)
        missing = sum(int(each.missing.sum()) for each in parts if isinstance(each, Vectors))
        return 1 - missing / max(1, sum(map(len, parts)))

    @cached_property
    def is_covered(self) -> bool:
        """Whether everything has its vector."""
        return self.coverage == 1

    @classmethod
    def open(cls, store: Path) -> Self:
        """Open the live generation of `store` after checking its files.

        Raises:
            StoreError: there is no index, it is damaged, or of another format.
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
        if manifest.format_version < FORMAT_VERSION or not isinstance(papers, Papers):
            raise StoreError(
                f"the index at {store} was written by an earlier version: to bring it over, run:"
                f" abstractqa index --resume --store {shlex.quote(str(store))}"
            )
        folder = generation_folder(store, generation)
        try:
            log = Log.open(store / manifest.vectors, manifest.dimension)
            if not _is_whole(log, manifest):
                raise damaged(store, f"{manifest.vectors} has changed since it was written")
            cuts = Cuts.load(folder)
            map_file = folder / collection_map.FILE_NAME
            return cls(
                manifest=manifest,
                papers=papers,
                passages=Passages(cuts, papers.ids),
                owner=cuts.owner,
                paper_vectors=Vectors(log, log.find(cuts.paper_keys)),
                passage_vectors=Vectors(log, log.find(cuts.passage_keys)),
                lexical=LexicalIndex.load(folder),
                names=Names.load(folder),
                map_json=map_file.read_bytes() if map_file.name in manifest.files else None,
            )
        except OSError as error:
            raise _unreadable(store, error) from error

    @property
    def is_finished(self) -> bool:
        """Whether everything has its vector, and the map is drawn."""
        return self.is_covered and self.map_json is not None

    @property
    def is_searched(self) -> bool:
        """Whether vectors are compared with candidates alone."""
        vectors = self.passage_vectors
        return isinstance(vectors, Vectors) and vectors.candidates is not None

    def followed(self) -> Self:
        """The same generation with the vectors that were encoded since it was opened."""
        old, cuts = self.log, self.cuts
        if self.is_covered or old is None or cuts is None or not old.grown:
            return self
        log = Log.open(old.path, old.dimension)
        if len(old.extra):
            log = log.with_extra(old.keys[len(old.stored) :], old.extra)
        return self._with(log, cuts)

    def with_vectors(self, keys: Keys, vectors: NDArray[np.float32]) -> Self:
        """The same generation with vectors of some texts that are not stored, in memory."""
        if self.log is None or self.cuts is None:
            return self
        return self._with(self.log.with_extra(keys, vectors), self.cuts)

    def encoded(self, papers: Sequence[int], passages: Sequence[int], encoder: Encoder) -> Self:
        """The same generation with vectors of some papers and passages that had none, in memory."""
        cuts = self.cuts
        if cuts is None:
            return self
        texts = {int(cuts.paper_keys[row]): paper_text(self.papers[row]) for row in papers}
        texts |= {int(cuts.passage_keys[row]): cuts.text(row) for row in passages}
        if not texts:
            return self
        keys = np.fromiter(texts, dtype=np.uint64, count=len(texts))
        return self.with_vectors(keys, encoder.encode(list(texts.values())))

    def searched(self, papers: Candidates | None, passages: Candidates | None) -> Self:
        """The same generation, in which a vector is compared with candidates alone, if any."""
        wholes, sentences = self.paper_vectors, self.passage_vectors
        if not isinstance(wholes, Vectors) or not isinstance(sentences, Vectors):
            return self
        return replace(
            self,
            paper_vectors=replace(wholes, candidates=papers),
            passage_vectors=replace(sentences, candidates=passages),
        )

    def within(self, allowed: NDArray[np.bool_]) -> Self:
        """The same generation, in which the papers that may answer are compared if not all may."""
        vectors = self.paper_vectors
        if not isinstance(vectors, Vectors) or vectors.candidates is None:
            return self
        rows = np.flatnonzero(allowed)
        if len(rows) == len(allowed):
            return self
        if len(rows) > FEW:
            return self.searched(None, None)
        passages = np.flatnonzero(allowed[self.owner])
        return self.searched(lambda _: rows, lambda _: passages)

    def _with(self, log: Log, cuts: Cuts) -> Self:
        return replace(
            self,
            paper_vectors=Vectors(log, log.find(cuts.paper_keys)),
            passage_vectors=Vectors(log, log.find(cuts.passage_keys)),
        )

    @property
    def log(self) -> Log | None:
        """Its file of vectors, if it is a generation."""
        vectors = self.paper_vectors
        return vectors.log if isinstance(vectors, Vectors) else None

    @property
    def cuts(self) -> Cuts | None:
        """How the papers are cut, if the passages are those of a generation."""
        return self.passages.cuts if isinstance(self.passages, Passages) else None


def _is_whole(log: Log, manifest: Manifest) -> bool:
    """Whether the vectors are those that were published; more may have come since."""
    if len(log.stored) < manifest.records:
        return False
    sums = checksums(log.path, manifest.records, log.dimension)
    return tuple(sums) == manifest.checksums
