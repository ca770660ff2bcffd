"""What a generation holds without its vectors: made from the live one where it is the same."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index.catalog import Cuts, Papers, code_hash, save_papers
from index.lexical import LexicalIndex
from index.names import Names
from index.papers import Paper
from index.store import Index

MANY = 5000
"""New papers whose names are gathered in a process of its own."""


@dataclass(frozen=True, eq=False)
class Contents:
    """All that is known of P papers without their vectors."""

    papers: Sequence[Paper]
    live: Papers | None
    same: NDArray[np.int64]
    """The row in `live` of each paper that is equal to it, else -1, shape (P,)."""
    cuts: Cuts
    lexical: LexicalIndex
    names: Names

    @classmethod
    def of(cls, papers: Sequence[Paper], live: Index | None, stored: Sequence[Paper]) -> Self:
        """Cut papers and count their words; what the live generation has is taken from there.

        Args:
            papers: In the order of their ids.
            live: The live generation, if it is of this format.
            stored: Its papers, read.
        """
        rows = {paper.id: row for row, paper in enumerate(stored)} if live else {}
        same = np.full(len(papers), -1, dtype=np.int64)
        kept = np.full(len(papers), -1, dtype=np.int64)
        is_cut_so = live is not None and live.manifest.code == code_hash()
        for at, paper in enumerate(papers):
            row = rows.get(paper.id, -1)
            if row < 0:
                continue
            old_paper = stored[row]
            if old_paper is paper or old_paper == paper:
                same[at] = row
            if is_cut_so and _says(old_paper) == _says(paper):
                kept[at] = row
        old = live if is_cut_so else None
        new = int((kept < 0).sum())
        with _named_beside(papers if new > max(MANY, len(papers) // 2) else ()) as named:
            lexical = LexicalIndex.build(papers, old.lexical if old else None, kept)
            cuts = Cuts.of(papers, old.cuts if old else None, kept)
            names = named() or Names.build(papers, old.names if old else None, kept)
        there = live.papers if live and isinstance(live.papers, Papers) else None
        return cls(papers, there, same, cuts, lexical, names)

    @property
    def content(self) -> str:
        """SHA-256 of the ids and of the texts' keys, hexadecimal."""
        digest = hashlib.sha256("\n".join(paper.id for paper in self.papers).encode())
        for part in (self.cuts.paper_keys, self.cuts.passage_keys, self.cuts.spans):
            digest.update(part.tobytes())
        return digest.hexdigest()


@contextmanager
def _named_beside(papers: Sequence[Paper]) -> Iterator[Callable[[], Names | None]]:
    """Gather the names of papers in a process of its own, which takes as long as all else.

    Yields:
        What waits for them; None where there are no papers, or where the process failed.
    """
    if not papers:
        yield lambda: None
        return
    with tempfile.TemporaryDirectory(prefix="abstractqa-") as scratch:
        folder = Path(scratch)
        save_papers(folder, papers, None, np.full(len(papers), -1, dtype=np.int64))
        path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
        process = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-m", "index.names", scratch],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield lambda: Names.load(folder) if process.wait() == 0 else None
        finally:
            process.kill()
            process.wait()


def _says(paper: Paper) -> tuple[str, str]:
    return paper.title, paper.abstract
