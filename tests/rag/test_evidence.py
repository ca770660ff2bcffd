"""Which sentences of a paper are quoted: measured by name, few, and in their order."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from made_up import BOATS, paper

from index.papers import Paper
from index.store import Index
from rag import Assistant
from rag.evidence import (
    FEATURES,
    WORDS,
    WORDS_OF_SUMMARY,
    leading,
    measure,
    of_paper,
    summary,
)
from rag.fitted import Linear
from rag.query import Query
from rag.retrieval import passage_rows, rank
from rag.selection import WORDS_OF_SIDE, compared, from_paper
from rag.wording import Kind

Open = Callable[[Sequence[Paper]], Assistant]
Understood = Callable[[str], Query]


def by_meaning(query: Query, weight: float = 50.0) -> Query:
    """The query with a scorer of sentences that knows their cosine alone."""
    weights = np.array([[weight * (name == "cosine")] for name in FEATURES], dtype=np.float32)
    model = Linear(FEATURES, (), weights, np.zeros(1, dtype=np.float32))
    models = {**query.fitted.models, "sentences": model}
    return replace(query, fitted=replace(query.fitted, models=models))


def row_of(index: Index, key: str) -> int:
    row = index.row_of(key)
    assert row is not None
    return row


def test_the_words_of_a_papers_own_name_do_not_count_as_overlap(
    index: Index, understood: Understood
) -> None:
    query = understood("What does CrackMap do?")
    measured = measure(index, query, rank(index, query.probe), row_of(index, "crackmap"))
    assert not measured[:, FEATURES.index("overlap")].any()


@pytest.mark.parametrize("words", [1, 20, 45, WORDS])
def test_the_best_sentence_is_quoted_and_others_only_within_the_words(
    index: Index, understood: Understood, words: int
) -> None:
    query = by_meaning(understood("How are honey bees disturbed by lamps?"), weight=1.0)
    ranking = rank(index, query.probe)
    for row in range(len(index.papers)):
        found = of_paper(index, query, ranking, row, words)
        rows = passage_rows(index, row)
        assert found.best == max(rows, key=lambda at: ranking.passages[at])
        assert found.best in found.passages
        assert list(found.passages) == sorted(found.passages)
        others = [len(index.passages[at].text.split()) for at in found.passages if at != found.best]
        best = len(index.passages[found.best].text.split())
        assert not others or best + sum(others) <= words


def test_a_summary_says_first_what_the_paper_is(index: Index, understood: Understood) -> None:
    query = understood("What is HiveScan?")
    row = row_of(index, "hivescan")
    found = summary(index, query, rank(index, query.probe), row)
    lead, *rest = found.passages
    assert lead == leading(index, row)
    assert rest == sorted(rest)
    words = sum(len(index.passages[at].text.split()) for at in found.passages)
    assert words <= WORDS_OF_SUMMARY


def test_what_a_paper_is_does_not_begin_with_what_others_did(open_papers: Open) -> None:
    abstract = "Kites are hard to fly. Many kites fall. Here we present KiteNet, a tail. It holds."
    assistant = open_papers([paper("k", "KiteNet: Better Kites", abstract), BOATS])
    answer = assistant.ask("What is KiteNet?")
    assert answer.sentences[0].text == "Here we present KiteNet, a tail."
    assert not any("hard" in sentence.text for sentence in answer.sentences)


@pytest.mark.parametrize(
    ("question", "papers"),
    [
        ("Compare CrackMap and HiveScan", ["crackmap", "hivescan"]),
        ("Which one errs less, DoughCast or WaggleNet?", ["doughcast", "wagglenet"]),
        ("What do smoke and street lamps do to honey bees?", ["smoke", "lamps"]),
    ],
)
def test_both_sides_of_a_comparison_are_chosen_each_within_its_words(
    index: Index, understood: Understood, question: str, papers: list[str]
) -> None:
    query = by_meaning(understood(question).as_kind(Kind.COMPARE), weight=1.0)
    found = compared(index, query, rank(index, query.probe))
    assert [index.papers[at.paper].id for at in found.papers] == papers
    for at in found.papers:
        assert sum(len(index.passages[row].text.split()) for row in at.passages) <= WORDS_OF_SIDE


def test_a_question_that_names_several_papers_is_answered_from_each(
    index: Index, understood: Understood
) -> None:
    query = understood("How many tiles did CrackMap and how many loaves did DoughCast learn from?")
    found = from_paper(index, query.as_kind(Kind.ANSWER), rank(index, query.probe))
    assert [index.papers[at.paper].id for at in found.papers] == ["crackmap", "doughcast"]
