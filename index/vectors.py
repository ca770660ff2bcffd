"""Store vectors by their text: a file of vectors that only grows, and one of the texts' keys."""

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index.errors import EncoderError

Floats = NDArray[np.float32]
Keys = NDArray[np.uint64]
BLOCK = 8192  # records under one checksum
_CHANCE = (0.05, 0.08)  # mean and deviation of unrelated texts' cosines, while there are few


def text_keys(texts: Iterable[str]) -> Keys:
    """Return the first 64 bits of each text's SHA-256, shape (n,)."""
    digests = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts)
    return np.frombuffer(b"".join(digest[:8] for digest in digests), dtype="<u8").copy()


def keys_of(path: Path) -> Path:
    """Return the file of the keys of a file of vectors."""
    return path.with_suffix(".keys")


def count_records(path: Path, dimension: int) -> int:
    """Count the vectors that are complete and have a key."""
    if not path.exists() or not keys_of(path).exists():
        return 0
    return min(path.stat().st_size // (4 * dimension), keys_of(path).stat().st_size // 8)


@dataclass(frozen=True, eq=False)
class Log:
    """The n records of the two files as they were when opened, and e that are only in memory."""

    path: Path
    dimension: int
    keys: Keys  # the keys of all records, shape (n + e,)
    stored: Floats  # the vectors in the file, mapped into memory, shape (n, d)
    extra: Floats  # the vectors of texts that were encoded on demand, shape (e, d)

    @classmethod
    def open(cls, path: Path, dimension: int) -> Self:
        """Map the complete records of a file, or raise `OSError`; a missing file has none."""
        keys, none = np.empty(0, dtype=np.uint64), np.empty((0, dimension), dtype=np.float32)
        stored = none
        if size := count_records(path, dimension):
            keys = np.fromfile(keys_of(path), dtype="<u8", count=size)
            stored = np.asarray(np.memmap(path, dtype="<f4", mode="r", shape=(size, dimension)))
        return cls(path, dimension, keys, stored, none)

    @cached_property
    def _order(self) -> tuple[Keys, NDArray[np.intp]]:
        order = np.argsort(self.keys, kind="stable")
        return self.keys[order], order

    def find(self, keys: Keys) -> NDArray[np.int64]:
        """Return the record of each key, -1 where there is none, shape (n,)."""
        ordered, order = self._order
        if not len(ordered):
            return np.full(len(keys), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
        return np.where(ordered[places] == keys, order[places], -1).astype(np.int64)

    def take(self, rows: NDArray[np.int64]) -> Floats:
        """Return the vectors of records, shape (n, d); zeros where the record is -1."""
        found = np.zeros((len(rows), self.dimension), dtype=np.float32)
        added = rows >= len(self.stored)
        stored = (rows >= 0) & ~added
        found[stored] = self.stored[rows[stored]]
        found[added] = self.extra[rows[added] - len(self.stored)]
        return found

    def with_extra(self, keys: Keys, vectors: Floats) -> Self:
        """Return the log with more records that are only in memory."""
        every = np.concatenate([self.keys, keys])
        return replace(self, keys=every, extra=np.concatenate([self.extra, vectors]))

    def cosines(self, vector: Floats) -> Floats:
        """Return the cosine of a unit vector, shape (d,), with each record, shape (n + e,)."""
        return self._cosines(np.asarray(vector, dtype=np.float32).tobytes())

    @cached_property
    def _cosines(self) -> Callable[[bytes], Floats]:
        @lru_cache(maxsize=8)  # one answer compares a few vectors with everything, repeatedly
        def cosines(vector: bytes) -> Floats:
            given = np.frombuffer(vector, dtype=np.float32)
            found = np.concatenate([self.stored @ given, self.extra @ given])
            found.setflags(write=False)
            return found

        return cosines


def checksums(path: Path, dimension: int, records: int, known: Sequence[int] = ()) -> list[int]:
    """Return the CRC-32 of each `BLOCK` of records; all but the last of the `known` are reused."""
    # The files are read, not mapped: mapped files count as memory of the process.
    if not records:
        return []
    sums = list(known[: max(0, min(len(known) - 1, records // BLOCK))])
    first = len(sums) * BLOCK
    with path.open("rb") as vectors, keys_of(path).open("rb") as keys:
        vectors.seek(first * 4 * dimension)
        keys.seek(first * 8)
        for count in (min(BLOCK, records - at) for at in range(first, records, BLOCK)):
            key_sum = zlib.crc32(keys.read(8 * count))
            sums.append(zlib.crc32(vectors.read(4 * dimension * count), key_sum))
    return sums


def append_records(path: Path, dimension: int, keys: Keys, vectors: Floats) -> None:
    """Append one batch, shapes (n,) and (n, d), to the files, made if missing, on disk.

    The keys, which make it valid, are written last; incomplete records are dropped. The caller has
    the store's lock. Raises `EncoderError` if the vectors are of another length or number.
    """
    if vectors.shape != (shape := (len(keys), dimension)):
        raise EncoderError(f"the encoder returned vectors of shape {vectors.shape}, not {shape}")
    path.parent.mkdir(exist_ok=True)
    size = count_records(path, dimension)
    vectors, keys = vectors.astype("<f4", copy=False), keys.astype("<u8", copy=False)
    for file_path, width, part in (path, 4 * dimension, vectors), (keys_of(path), 8, keys):
        with file_path.open("ab") as file:
            file.truncate(size * width)
            file.write(part.tobytes())
            file.flush()
            os.fsync(file.fileno())


Candidates = Callable[[Floats], NDArray[np.int64] | None]
"""A function that returns the places of texts that are near a vector, None if it cannot."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of n texts of an index, used like an array of shape (n, d), read when needed."""

    log: Log
    rows: NDArray[np.int64]  # the record of each text; -1 while it is not encoded
    candidates: Candidates | None = None  # those to compare with a vector, all without it

    @classmethod
    def of(cls, vectors: Floats) -> Self:
        """Wrap vectors that are in memory, shape (n, d)."""
        log = Log(Path(), vectors.shape[1], np.empty(0, dtype=np.uint64), vectors, vectors[:0])
        return cls(log, np.arange(len(vectors)))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int | slice | Sequence[int] | NDArray[np.generic]) -> Floats:
        rows = self.rows[at]
        vectors = self.log.take(np.atleast_1d(rows).ravel())
        return vectors[0] if np.ndim(rows) == 0 else vectors

    def __array__(self, dtype: object = None, copy: object = None) -> Floats:
        return self.log.take(self.rows)

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """The mask of texts that are not encoded yet, shape (n,)."""
        return self.rows < 0

    def __matmul__(self, vector: Floats) -> Floats:
        """Return the cosine of a unit vector with each text, shape (n,).

        Texts without a vector, or that are no candidates, get values typical of unrelated texts.
        """
        if self.candidates and (near := self.candidates(vector)) is not None:
            return self._near(vector, near)
        cosines, encoded = self.log.cosines(vector), ~self.missing
        if encoded.all():
            return cosines[self.rows]
        found = np.empty(len(self.rows), dtype=np.float32)
        found[encoded] = known = cosines[self.rows[encoded]]
        mean, spread = (known.mean(), known.std()) if len(known) >= 256 else _CHANCE
        chance = np.abs(np.random.default_rng(0).standard_normal(len(found) - len(known)))
        found[self.missing] = mean - spread * chance
        return found

    def _near(self, vector: Floats, near: NDArray[np.int64]) -> Floats:
        """Return the cosines of the candidates; the other texts get those of a random sample."""
        sample = self.rows[self._sample]
        chance = self.log.take(sample[sample >= 0]) @ vector
        near = near[self.rows[near] >= 0]
        exact = self.log.take(self.rows[near]) @ vector
        ceiling = exact.min() if len(exact) else 1.0
        values = np.minimum(chance, ceiling) if len(chance) else 0.0
        found = np.resize(values, len(self.rows)).astype(np.float32)
        found[near] = exact
        return found

    @cached_property
    def _sample(self) -> NDArray[np.int64]:
        size = len(self.rows)
        return np.random.default_rng(0).choice(size, min(size, 4096), replace=False)
