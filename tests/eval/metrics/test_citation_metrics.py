from collections.abc import Sequence

import pytest
from handmade import BOGS, FERNS, MOSS, REFUSAL, answer, reference

from eval.metrics.citations import Alce, alce, cited_passages
from eval.support import VerbatimSupport
from rag.schema import Answer, AnswerSentence, Citation, Reference


class Table:
    """Supports exactly what it is told: which premises, by a word of theirs, support a claim."""

    name = "table"

    def __init__(self, **enough: set[frozenset[str]]) -> None:
        self.enough = enough
        self.asked: list[tuple[str, int]] = []

    def __call__(self, claim: str, premises: Sequence[str]) -> bool:
        self.asked.append((claim, len(premises)))
        held = {word for word in ("small", "wet", "vary") for text in premises if word in text}
        return any(needed <= held for needed in self.enough.get(claim, set()))


SMALL = reference(1, MOSS, "Mosses are small.")
WET = reference(2, BOGS, "Bogs are wet.")
VARY = reference(3, FERNS, "Ferns vary.")


def cite(*references: Reference) -> tuple[Citation, ...]:
    return tuple(
        Citation(reference=r.number, start=r.passages[0].start, end=r.passages[0].end)
        for r in references
    )


def said(*sentences: tuple[str, tuple[Citation, ...]]) -> Answer:
    """An answer of these sentences, which together must cite all three passages."""
    given = answer("x [1] y [2] z [3]", SMALL, WET, VARY).model_copy(
        update={
            "sentences": tuple(
                AnswerSentence(text=text, citations=citations, support="unchecked")
                for text, citations in sentences
            )
        }
    )
    return Answer.model_validate(given.model_dump())


def test_recall_and_precision_by_hand_through_every_branch() -> None:
    """Six sentences: one citation that supports, one that does not, and so on.

    one: cites [1], supported                            → recall 1, precise 1 of 1
    none: cites nothing                                  → recall 0, no citation
    wrong: cites [2], not supported                      → recall 0, precise 0 of 1
    spare: cites [1][2], [1] alone supports, [2] is spare → recall 1, precise 1 of 2
    both: cites [1][2], neither supports alone           → recall 1, precise 2 of 2
    either: cites [2][3], each supports alone            → recall 1, precise 2 of 2
    """
    small, wet, vary = (frozenset({word}) for word in ("small", "wet", "vary"))
    table = Table(one={small}, spare={small}, both={small | wet}, either={wet, vary})
    given = said(
        ("one", cite(SMALL)),
        ("none", ()),
        ("wrong", cite(WET)),
        ("spare", cite(SMALL, WET)),
        ("both", cite(SMALL, WET)),
        ("either", cite(WET, VARY)),
    )
    found = alce(given, table)
    assert found == Alce(sentences=6, cited=5, supported=4, citations=8, precise=6)
    assert found.recall == pytest.approx(4 / 6)
    assert found.precision == pytest.approx(6 / 8)


def test_a_spare_citation_among_three_is_the_only_one_that_is_irrelevant() -> None:
    table = Table(three={frozenset({"small", "vary"})})
    found = alce(said(("three", cite(SMALL, WET, VARY))), table)
    assert found is not None
    assert (found.supported, found.citations, found.precise) == (1, 3, 2)


def test_all_citations_of_an_unsupported_sentence_are_imprecise_and_not_asked_one_by_one() -> None:
    table = Table()
    found = alce(said(("claim", cite(SMALL, WET, VARY))), table)
    assert found == Alce(sentences=1, cited=1, supported=0, citations=3, precise=0)
    assert table.asked == [("claim", 3)]


def test_a_passage_cited_twice_is_one_citation() -> None:
    table = Table(one={frozenset({"small"})}, rest={frozenset({"wet"})})
    found = alce(said(("one", cite(SMALL, SMALL)), ("rest", cite(WET, VARY))), table)
    assert found is not None
    assert (found.citations, found.precise) == (3, 2)


def test_a_sentence_without_citation_is_uncited_whatever_it_says() -> None:
    counted = answer("Sixty papers are in it.").model_copy(update={"status": "answered"})
    found = alce(counted, VerbatimSupport())
    assert found == Alce(sentences=1, cited=0, supported=0, citations=0, precise=0)
    assert (found.recall, found.precision) == (0, 0)


def test_a_refusal_has_no_citations_to_measure() -> None:
    assert alce(REFUSAL, VerbatimSupport()) is None


def test_a_passage_is_shown_to_the_checker_under_its_papers_title() -> None:
    given = answer("Bogs are wet. [1]", reference(1, BOGS, "Bogs are wet."))
    (sentence,) = given.sentences
    assert cited_passages(sentence, given) == ["Title: Counting Bogs\nBogs are wet."]


def test_what_the_product_quotes_is_fully_cited_by_its_own_checker() -> None:
    found = alce(
        answer("Bogs are wet. [1]", reference(1, BOGS, "Bogs are wet.")), VerbatimSupport()
    )
    assert found is not None
    assert (found.recall, found.precision) == (1, 1)
    found = alce(
        answer("Bogs are dry. [1]", reference(1, BOGS, "Bogs are wet.")), VerbatimSupport()
    )
    assert found is not None
    assert (found.recall, found.precision) == (0, 0)
