"""The figures of docs/evaluation.md on the facts that a model is given, and on attribution.

`pytest -m slow -s` with this file prints them.
"""

import random
import sys
from pathlib import Path

import numpy as np
import pytest
from chat_server import running, streams

from eval.datasets import load_questions
from eval.scoring import nuggets_found
from eval.systems import benchmark_store
from index.embedding import SentenceEncoder
from index.papers import Paper
from index.readers import read
from index.store import Index
from rag import Assistant
from rag.chat import tokens_of
from rag.retrieval import passage_rows
from rag.settings import Settings
from rag.support.local import LocalChecker
from rag.synthesis.prompts import SENTINEL, Address, lay_out
from rag.synthesis.statements import Grounder, Statement

pytestmark = pytest.mark.slow

SETS = {"dev": "digests", "dev2": "digests", "acl": "corpora/acl.jsonl", "bio": "corpora/bio.jsonl"}
"""The papers that the questions of a set are about."""


def stored(source: Path, encoder: SentenceEncoder) -> Path:
    """An index of the papers of a collection."""
    papers = [each for each in read([source], year=2025) if isinstance(each, Paper)]
    return benchmark_store(papers, encoder)


@pytest.mark.parametrize("name", SETS)
def test_nearly_all_facts_are_given(shared: Path, name: str, encoder: SentenceEncoder) -> None:
    store = stored(shared / SETS[name], encoder)
    shares, tokens = [], []
    with running() as chat:
        chat.script = lambda _: streams(SENTINEL)  # a model that says nothing
        settings = Settings(
            store=store, openai_base_url=chat.base_url, chat_model="m", support_checker="local"
        )
        assistant = Assistant(store, encoder, settings)
        for question in load_questions(shared / "questions" / f"{name}.jsonl"):
            if not question.answerable or not question.nuggets or question.type == "catalogue":
                continue
            chat.received.clear()
            assistant.ask(question.question, history=question.history)
            given = [each.text for each in chat.received if "<abstracts>" in each.text]
            text = "\n".join(given)
            shares.append(np.mean(nuggets_found(question.nuggets, text)))
            tokens += [tokens_of(text)] if text else []
        assistant.close()
    sys.stdout.write(
        f"\n{name}: {len(shares)} questions, facts given {np.mean(shares):.3f},"
        f" prompt tokens: mean {np.mean(tokens):,.0f}, median {np.median(tokens):,.0f}\n"
    )
    assert np.mean(shares) >= 0.85


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
    shared: Path, name: str, encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index.open(stored(shared / "corpora" / f"{name}.jsonl", encoder))
    local, rows = LocalChecker(encoder), range(len(index.papers))
    named = {row: called for row in rows if (called := index.names.called(row))}

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
