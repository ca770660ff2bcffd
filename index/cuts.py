"""What every paper of an index is cut into, as arrays, carried over where a paper is as it was."""

import hashlib
import mmap
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index.papers import Paper
from index.passages import Passage, cut, paper_text
from index.vectors import Keys, text_keys

FILE_NAME = "passages.npz"
TEXTS = "passages.txt"
Bytes = bytes | mmap.mmap
_CODE = ("text", "sentences", "passages", "lexical", "folding", "mentions", "coined", "names")
_ARRAYS = ("owner", "spans", "text_starts", "paper_keys", "passage_keys")


@cache
def code_hash() -> str:
    """SHA-256 of the modules that cut papers and count words, hexadecimal.

    A generation that another version wrote is cut anew, whatever it changed.
    """
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / f"{m}.py").read_bytes() for m in _CODE)).hexdigest()


@dataclass(frozen=True, eq=False)
class Cuts:
    """The S passages of P papers, those of one paper together and in order."""

    owner: NDArray[np.int64]
    """The row of each passage's paper, ascending, shape (S,)."""
    spans: NDArray[np.int32]
    """Where each begins and ends in the stored abstract, in code points, shape (S, 2)."""
    text_starts: NDArray[np.int64]
    """Where the text of each begins in `texts`, shape (S + 1,)."""
    paper_keys: Keys
    """The key of the text that stands for each paper, shape (P,)."""
    passage_keys: Keys
    """Shape (S,)."""
    texts: Bytes = field(repr=False)
    """The cleaned sentences, one after the other, in UTF-8."""

    @classmethod
    def of(cls, papers: Sequence[Paper], live: Self | None, kept: NDArray[np.int64]) -> Self:
        """Cut papers.

        Args:
            papers: P papers.
            live: The cuts of papers of which some are the same.
            kept: The row in `live` of each paper that is in it as it is now, else -1, shape (P,).
        """
        bounds = np.searchsorted(live.owner, np.arange(len(live.paper_keys) + 1)) if live else None
        owner: list[NDArray[np.int64]] = []
        spans: list[NDArray[np.int32]] = []
        sizes: list[NDArray[np.int64]] = []
        keys: list[Keys] = []
        paper_keys = np.empty(len(papers), dtype=np.uint64)
        texts = bytearray()
        for row, old in enumerate(kept.tolist()):
            if live is not None and bounds is not None and old >= 0:
                first, last = bounds[old], bounds[old + 1]
                spans.append(live.spans[first:last])
                sizes.append(np.diff(live.text_starts[first : last + 1]))
                keys.append(live.passage_keys[first:last])
                texts += live.texts[live.text_starts[first] : live.text_starts[last]]
                paper_keys[row] = live.paper_keys[old]
            else:
                passages = cut(papers[row])
                encoded = [passage.text.encode("utf-8", "surrogatepass") for passage in passages]
                spans.append(_pairs([(passage.start, passage.end) for passage in passages]))
                sizes.append(np.asarray([len(text) for text in encoded], dtype=np.int64))
                keys.append(text_keys(passage.text for passage in passages))
                texts += b"".join(encoded)
                paper_keys[row] = text_keys([paper_text(papers[row])])[0]
            owner.append(np.full(len(keys[-1]), row, dtype=np.int64))
        return cls(
            np.concatenate([np.empty(0, dtype=np.int64), *owner]),
            np.concatenate([_pairs([]), *spans]),
            np.concatenate([[0], np.cumsum(np.concatenate([np.empty(0), *sizes]))]).astype(
                np.int64
            ),
            paper_keys,
            np.concatenate([np.empty(0, dtype=np.uint64), *keys]),
            bytes(texts),
        )

    def text(self, row: int) -> str:
        """The cleaned sentence of a passage."""
        found = self.texts[self.text_starts[row] : self.text_starts[row + 1]]
        return found.decode("utf-8", "surrogatepass")

    def texts_of(self, keys: Keys, papers: Sequence[Paper]) -> list[str]:
        """The text of each key of a paper or a passage."""
        wanted = set(keys.tolist())
        found: dict[int, str] = {}
        for row, key in enumerate(self.paper_keys.tolist()):
            if key in wanted and key not in found:
                found[key] = paper_text(papers[row])
        for row, key in enumerate(self.passage_keys.tolist()):
            if key in wanted and key not in found:
                found[key] = self.text(row)
        return [found[key] for key in keys.tolist()]

    def save(self, folder: Path) -> None:
        """Write into a generation's folder."""
        with (folder / FILE_NAME).open("wb") as file:
            np.savez(file, allow_pickle=False, **{name: getattr(self, name) for name in _ARRAYS})
        (folder / TEXTS).write_bytes(self.texts)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the texts stay on the disk until they are asked for."""
        with np.load(folder / FILE_NAME) as stored:
            arrays = [stored[name] for name in _ARRAYS]
        owner, spans, starts, papers, passages = arrays
        return cls(owner, spans, starts, papers, passages, mapped(folder / TEXTS))


def mapped(path: Path) -> Bytes:
    """The bytes of a file, mapped into memory."""
    with path.open("rb") as file:
        size = path.stat().st_size
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""


def _pairs(pairs: list[tuple[int, int]]) -> NDArray[np.int32]:
    return np.asarray(pairs, dtype=np.int32).reshape(-1, 2)


@dataclass(frozen=True, eq=False)
class Passages(Sequence[Passage]):
    """The passages of an index, made when they are asked for."""

    cuts: Cuts
    ids: Sequence[str]
    """The ids of the papers."""

    def __len__(self) -> int:
        return len(self.cuts.owner)

    def __getitem__(self, at):  # type: ignore[no-untyped-def] # a passage, or a tuple of a slice
        if isinstance(at, slice):
            return tuple(self[row] for row in range(*at.indices(len(self))))
        row = range(len(self))[at]
        start, end = self.cuts.spans[row].tolist()
        return Passage(self.ids[int(self.cuts.owner[row])], start, end, self.cuts.text(row))
