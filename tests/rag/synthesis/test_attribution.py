"""How often what one paper found is supported as another's, on collections of other fields.

`pytest -m slow -s` with this file prints the figures of docs/evaluation.md.
"""

import random
import sys
from pathlib import Path

import pytest

from eval.systems import benchmark_store
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.readers import read
from index.store import Index
from rag.retrieval import passage_rows
from rag.support.local import LocalChecker
from rag.synthesis.prompts import Address, lay_out
from rag.synthesis.statements import Grounder, Statement

pytestmark = pytest.mark.slow


def opening_sentences(index: Index) -> list[tuple[int, str, int, str]]:
    """The first sentence of each paper that begins with its name: row, name, number, text."""
    found = []
    for paper in range(len(index.papers)):
        name = index.names.called(paper)
        texts = [index.passages[row].text for row in passage_rows(index, paper)]
        begins = (at for at, text in enumerate(texts) if name and text.startswith(f"{name} "))
        if name and (at := next(begins, None)) is not None:
            found.append((paper, name, at + 1, texts[at]))
    return found


@pytest.mark.parametrize("name", ["acl", "bio", "arxiv", "med"])
def test_a_finding_is_supported_of_its_own_paper_alone(
    shared: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = SentenceEncoder.open("all-MiniLM-L6-v2")
    papers = [p for p in read([shared / "corpora" / f"{name}.jsonl"]) if isinstance(p, Paper)]
    index, local = Index.open(benchmark_store(papers, encoder)), LocalChecker(encoder)
    named = {row: called for row in range(len(papers)) if (called := index.names.called(row))}

    def supported() -> tuple[float, float]:
        """The shares of true and of false sentences that are supported, both papers cited."""
        found: dict[bool, list[bool]] = {True: [], False: []}
        draw = random.Random(0)
        for paper, own, number, text in opening_sentences(index):
            other = draw.choice([row for row in named if row != paper])
            grounder = Grounder(lay_out(index, [paper, other], 6_000), encoder, local)
            for is_true, claim in ((True, text), (False, named[other] + text[len(own) :])):
                claimed = Statement(claim, (Address(1, number), Address(2, 1)))
                verdict = grounder.ground(claimed).verdict
                found[is_true].append(verdict is not None and verdict.support == "supported")
        shares = [sum(each) / len(each) for each in (found[True], found[False])]
        sys.stdout.write(f"\n{name}: {len(found[True])} of each; supported {shares}")
        return shares[0], shares[1]

    true, false = supported()
    everything = "rag.synthesis.statements.papers_mentioning"
    monkeypatch.setattr(everything, lambda index, _: range(len(index.papers)))
    _, without = supported()
    assert true >= 0.95
    assert false <= 0.3
    assert false < without
